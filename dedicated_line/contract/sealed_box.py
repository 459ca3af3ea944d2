"""Encryption to a session's receiving key: HPKE base mode (RFC 9180), P-256, AES-128-GCM."""

from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

_SUITE = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_128_GCM)


class Sealed(StrEnum):
    """What a box holds; bound into the encryption, so that none can be taken for another."""

    PERSONAL = "kofu/personal/v1"
    CONTENT = "kofu/content/v1"


class CannotOpenError(ValueError):
    """The box was not sealed to this key, for this purpose and session, or was changed."""


def _info(what: Sealed, session: str) -> bytes:
    return f"{what.value}\x00{session}".encode("ascii")


def seal(public_key: ec.EllipticCurvePublicKey, what: Sealed, session: str, data: bytes) -> bytes:
    """Encrypt data to the session's receiving key."""
    return _SUITE.encrypt(data, public_key, info=_info(what, session))


def open_sealed(
    private_key: ec.EllipticCurvePrivateKey, what: Sealed, session: str, box: bytes
) -> bytes:
    """Decrypt with the session's receiving key; raise CannotOpenError when it does not fit."""
    try:
        return _SUITE.decrypt(box, private_key, info=_info(what, session))
    except (InvalidTag, ValueError) as error:
        raise CannotOpenError("cannot be opened with this session's key") from error
