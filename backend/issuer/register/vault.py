"""Encryption at rest: AES-256-GCM, a data key a municipality, wrapped by one master key."""

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dedicated_line.clock import Entropy
from dedicated_line.contract import canonical
from dedicated_line.errors import KofuError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
"""96 random bits (NIST SP 800-38D, 8.2.2): good for 2^32 records a key."""
DOMAIN: Final = "kofu/register/v1"


class TamperedError(KofuError):
    """A record is not what was stored in that place: changed, swapped, or under another key."""


class MasterKeyError(KofuError):
    """The master key is missing or is not the one that this database was written with."""


@dataclass(frozen=True)
class Place:
    """Where a record stands; bound into its encryption, so that no record fits another place."""

    table: str
    municipality: str
    record: tuple[str, ...]
    """The columns that name it."""
    version: int = 0

    def associated_data(self) -> bytes:
        """Return the bytes that are authenticated along."""
        return canonical.encode(
            [DOMAIN, self.table, self.municipality, list(self.record), self.version]
        )


def _seal(key: bytes, entropy: Entropy, place: Place, plain: bytes) -> bytes:
    nonce = entropy.token(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, place.associated_data())


def _open(key: bytes, place: Place, box: bytes) -> bytes:
    return AESGCM(key).decrypt(box[:NONCE_BYTES], box[NONCE_BYTES:], place.associated_data())


@dataclass(frozen=True)
class DataKey:
    """The key of one municipality's records."""

    municipality: str
    _key: bytes = field(repr=False)
    _entropy: Entropy = field(repr=False)

    def seal(self, table: str, record: tuple[str, ...], version: int, plain: bytes) -> bytes:
        """Encrypt a record for its place."""
        place = Place(table, self.municipality, record, version)
        return _seal(self._key, self._entropy, place, plain)

    def open(self, table: str, record: tuple[str, ...], version: int, box: bytes) -> bytes:
        """Decrypt the record of a place; raise TamperedError when it does not belong there."""
        try:
            return _open(self._key, Place(table, self.municipality, record, version), box)
        except (InvalidTag, ValueError) as error:
            raise TamperedError(
                f"a record in {table} of {self.municipality} is not what was stored there; "
                "stop issuing, keep the database file as evidence, and load the register again"
            ) from error


class Vault:
    """Makes and opens data keys."""

    def __init__(self, master: bytes, entropy: Entropy) -> None:
        """Take the master key, `KEY_BYTES` long."""
        if len(master) != KEY_BYTES:
            raise MasterKeyError(f"the master key must have {KEY_BYTES} bytes; restore it")
        self._master = master
        self._entropy = entropy

    def new_data_key(self, municipality: str) -> bytes:
        """Return a new data key, wrapped."""
        place = Place("data-key", municipality, ())
        return _seal(self._master, self._entropy, place, self._entropy.token(KEY_BYTES))

    def data_key(self, municipality: str, wrapped: bytes) -> DataKey:
        """Unwrap a municipality's data key; raise MasterKeyError when it does not open."""
        try:
            key = _open(self._master, Place("data-key", municipality, ()), wrapped)
        except (InvalidTag, ValueError) as error:
            raise MasterKeyError(
                f"the data key of {municipality} does not open with this master key; "
                "restore the master.key that belongs to this database"
            ) from error
        return DataKey(municipality, key, self._entropy)
