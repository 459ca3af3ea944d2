"""The municipalities' signing keys as files, and the key list that publishes them.

The issuing server alone reads `<municipality>/{envelope,seal}.key`; the offline root is used only
to publish.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from backend.issuer.sealing.errors import KeysMissingError
from backend.issuer.sealing.pages import SigningKey
from dedicated_line.clock import Entropy
from dedicated_line.contract import canonical, cose
from dedicated_line.contract.key_list import (
    KeyList,
    KeyUse,
    ListedKey,
    UntrustedKeyError,
    read_key_list,
    sign_key_list,
    trusted_key,
)
from dedicated_line.contract.keys import BadSignatureError, Purpose, encode_public_key
from dedicated_line.errors import UsageError

PRIVATE: Final = 0o600
LIST_TERM: Final = timedelta(days=365)
KEY_TERM: Final = timedelta(days=5 * 365)
BACKDATED: Final = timedelta(days=1)
"""So that a list is good at once, on clocks that are a little behind ours as well."""
RENEW_BEFORE: Final = timedelta(days=30)


@dataclass(frozen=True)
class KeyPlaces:
    """Where keys lie."""

    root: Path
    """Private key of the offline root."""
    root_public: Path
    """What kiosks and verifiers pin."""
    key_list: Path
    municipalities: Path
    """``<municipality>/{envelope,seal}.key``, for the issuing server alone."""

    def of(self, municipality: str, use: KeyUse) -> Path:
        """Return the private key file of a municipality and use."""
        return self.municipalities / municipality / f"{use.value}.key"


def write_private(path: Path, data: bytes, entropy: Entropy) -> bool:
    """Write a secret file, 0600, whole or not at all; False when it is there already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{entropy.token(8).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def secret_file(path: Path, size: int, entropy: Entropy) -> bytes:
    """Return the secret in a file (hexadecimal), made there when it is missing.

    Raises:
        KeysMissingError: the file cannot be read, or has another size.
    """
    try:
        if not path.exists():
            write_private(path, entropy.token(size).hex().encode() + b"\n", entropy)
        secret = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise KeysMissingError(
            f"{path} cannot be read or written; give it back its content and its rights (0600)"
        ) from error
    if len(secret) != size:
        raise KeysMissingError(f"{path} must hold {size} bytes in hexadecimal; restore it")
    return secret


def _private_key(path: Path, entropy: Entropy) -> ec.EllipticCurvePrivateKey:
    """Return a private key, made when it is missing."""
    if not path.exists():
        new = ec.generate_private_key(ec.SECP256R1())
        pem = new.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(path, pem, entropy)
    return read_private_key(path)


def read_private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """Return a P-256 private key (PKCS#8 PEM); KeysMissingError when there is none."""
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise KeysMissingError(
            f"{path} is no private key; run 'kofu-backend keys init', or restore it"
        ) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeysMissingError(f"{path} is no P-256 private key; restore it")
    return key


def read_root(path: Path) -> ec.EllipticCurvePublicKey:
    """Return the pinned root (SPKI PEM); KeysMissingError when there is none."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KeysMissingError(
            f"{path} is no root of a key list; run 'kofu-backend keys init'"
        ) from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise KeysMissingError(f"{path} is no P-256 public key; restore it")
    return key


@dataclass(frozen=True)
class Published:
    """The key list as it stands, and whether it was published just now."""

    keys: KeyList
    new: bool


def published_list(places: KeyPlaces) -> KeyList | None:
    """Return the published list, expired or not; None when there is none.

    Raises:
        KeysMissingError: it is not signed by the pinned root.
    """
    if not places.key_list.exists():
        return None
    try:
        data = places.key_list.read_bytes()
        payload = cose.verify(cose.read(data), read_root(places.root_public), Purpose.KEY_LIST)
        return canonical.decode_message(KeyList, payload)
    except (BadSignatureError, ValueError) as error:
        raise KeysMissingError(
            f"{places.key_list} is not signed by {places.root_public}; restore the pair, or "
            "remove the list so that 'keys init' publishes it again"
        ) from error


def init_keys(
    places: KeyPlaces, municipalities: Sequence[str], now: datetime, entropy: Entropy
) -> Published:
    """Make what keys are missing and publish them, with those published before; idempotent.

    Args:
        places: where keys lie.
        municipalities: codes; keys of others in the list stay.
        now: domain time.
        entropy: for names of drafts; keys come from the cryptographic library.
    """
    root = _private_key(places.root, entropy)
    public = root.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    places.root_public.parent.mkdir(parents=True, exist_ok=True)
    if not places.root_public.exists():
        _replace(places.root_public, public, entropy)
    elif places.root_public.read_bytes() != public:
        raise UsageError(
            f"{places.root_public} is not the public key of {places.root}; restore the pair"
        )
    before = published_list(places)
    listed = list(before.keys) if before else []
    for municipality in municipalities:
        for use in KeyUse:
            key = _private_key(places.of(municipality, use), entropy).public_key()
            if all(one.public_key != encode_public_key(key) for one in listed):
                number = 1 + sum(
                    (one.municipality, one.use) == (municipality, use) for one in listed
                )
                listed.append(
                    ListedKey(
                        key_id=f"{municipality}-{use.value}-{number}",
                        municipality=municipality,
                        use=use,
                        public_key=encode_public_key(key),
                        valid_from=now - BACKDATED,
                        valid_until=now + KEY_TERM,
                    )
                )
    current = before is not None and before.issued_at <= now < before.expires_at - RENEW_BEFORE
    if before is not None and current and tuple(listed) == before.keys:
        return Published(before, new=False)
    keys = KeyList(
        version=before.version + 1 if before else 1,
        issued_at=now - BACKDATED,
        expires_at=now + LIST_TERM,
        keys=tuple(listed),
    )
    _replace(places.key_list, sign_key_list(root, keys), entropy)
    return Published(keys, new=True)


def _replace(path: Path, data: bytes, entropy: Entropy) -> None:
    """Write a public file so that a reader finds the old one or the new one, never half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{entropy.token(8).hex()}")
    draft.write_bytes(data)
    draft.replace(path)


class KeyFiles:
    """The issuing server's view: its private keys, as far as the published list trusts them."""

    def __init__(self, places: KeyPlaces) -> None:
        """Take where keys lie; they are read when first needed."""
        self._places = places
        self._lock = Lock()
        self._read: tuple[tuple[int, int], KeyList] | None = None
        self._private: dict[tuple[str, KeyUse], ec.EllipticCurvePrivateKey] = {}

    def current(self, municipality: str, use: KeyUse, at: datetime) -> SigningKey | None:
        """Return the key that the published list trusts at that instant, None without one."""
        try:
            keys = self._published(at)
            private = self._private_key(municipality, use)
        except (UntrustedKeyError, KeysMissingError):
            return None
        own = encode_public_key(private.public_key())
        for listed in keys.keys:
            if listed.public_key != own:
                continue
            try:
                trusted_key(keys, listed.key_id, use, municipality, at)
            except UntrustedKeyError:
                continue
            return SigningKey(listed.key_id, private)
        return None

    def ready(self, at: datetime) -> bool:
        """Tell whether a key list is there, signed by the root, and valid."""
        try:
            self._published(at)
        except (UntrustedKeyError, KeysMissingError):
            return False
        return True

    def _published(self, at: datetime) -> KeyList:
        """Return the list, read again when its file has changed."""
        try:
            status = self._places.key_list.stat()
            stamp = (status.st_mtime_ns, status.st_ino)
            with self._lock:
                if self._read is None or self._read[0] != stamp:
                    data = self._places.key_list.read_bytes()
                    root = read_root(self._places.root_public)
                    self._read = (stamp, read_key_list(data, root, at))
                keys = self._read[1]
        except (OSError, BadSignatureError) as error:
            raise KeysMissingError(
                "the key list is missing; run 'kofu-backend keys init'"
            ) from error
        if not keys.issued_at <= at < keys.expires_at:
            raise UntrustedKeyError("the key list has expired; run 'kofu-backend keys init'")
        return keys

    def _private_key(self, municipality: str, use: KeyUse) -> ec.EllipticCurvePrivateKey:
        place = (municipality, use)
        with self._lock:
            if place not in self._private:
                self._private[place] = read_private_key(self._places.of(municipality, use))
            return self._private[place]
