"""The key list: which municipality signs with which keys, signed by an offline root."""

from datetime import datetime
from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric import ec

from dedicated_line.contract import canonical, cose
from dedicated_line.contract.keys import BadSignatureError, Purpose, decode_public_key
from dedicated_line.contract.message import Bytes, Message, MunicipalityCode, UtcTime

ROOT_KEY_ID = "root"


class KeyUse(StrEnum):
    """Envelope keys and paper-seal keys are separate."""

    ENVELOPE = "envelope"
    SEAL = "seal"


class ListedKey(Message):
    """One key of one municipality."""

    key_id: str
    municipality: MunicipalityCode
    use: KeyUse
    public_key: Bytes
    """P-256 point, 65 bytes."""
    valid_from: UtcTime
    valid_until: UtcTime
    not_trusted_after: UtcTime | None = None
    """Issues sealed after this instant are not trusted, whatever `valid_until` says."""


class KeyList(Message):
    """Versioned, expiring, never going backwards."""

    version: int
    issued_at: UtcTime
    expires_at: UtcTime
    keys: tuple[ListedKey, ...]


class UntrustedKeyError(ValueError):
    """No key of this id is trusted for this use, municipality and instant."""


def sign_key_list(root: ec.EllipticCurvePrivateKey, keys: KeyList) -> bytes:
    """Return the key list as COSE_Sign1 by the offline root."""
    return cose.sign(root, ROOT_KEY_ID, Purpose.KEY_LIST, canonical.encode_message(keys))


def read_key_list(data: bytes, root: ec.EllipticCurvePublicKey, now: datetime) -> KeyList:
    """Verify a key list under the pinned root; BadSignatureError, or UntrustedKeyError if expired.

    The caller keeps the highest version it has seen and refuses a lower one.
    """
    payload = cose.verify(cose.read(data), root, Purpose.KEY_LIST)
    try:
        keys = canonical.decode_message(KeyList, payload)
    except ValueError as error:
        raise BadSignatureError("signed, but not a key list") from error
    if not keys.issued_at <= now < keys.expires_at:
        raise UntrustedKeyError("the key list is not valid now; fetch a newer one")
    return keys


def trusted_key(
    keys: KeyList, key_id: str, use: KeyUse, municipality: str, at: datetime
) -> ec.EllipticCurvePublicKey:
    """Return the key that was trusted at an instant; raise UntrustedKeyError when none was."""
    for key in keys.keys:
        if (key.key_id, key.use, key.municipality) != (key_id, use, municipality):
            continue
        until = min(key.valid_until, key.not_trusted_after or key.valid_until)
        if key.valid_from <= at < until:
            return decode_public_key(key.public_key)
    raise UntrustedKeyError(f"no {use} key {key_id} of {municipality} is trusted for that time")
