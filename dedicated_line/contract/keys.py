"""P-256 keys as they travel, and signatures over exact body bytes."""

from enum import StrEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

POINT_BYTES = 65
"""An uncompressed P-256 point (SEC 1, section 2.3.3)."""
COORDINATE_BYTES = 32
SIGNATURE_BYTES = 2 * COORDINATE_BYTES


class BadSignatureError(ValueError):
    """A signature does not fit its key, its bytes or its purpose."""


class Purpose(StrEnum):
    """What a signature is for; it is signed along, so that none can serve for another."""

    ENVELOPE = "kofu/envelope/v1"
    SEAL = "kofu/seal/v1"
    KEY_LIST = "kofu/key-list/v1"
    ORDER = "kofu/order/v1"
    RELEASE = "kofu/release/v1"
    OUTCOME = "kofu/outcome/v1"


def encode_public_key(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the 65 bytes of an uncompressed P-256 point."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def decode_public_key(data: bytes) -> ec.EllipticCurvePublicKey:
    """Read 65 bytes as a P-256 public key; ValueError when they are not a point on the curve."""
    if len(data) != POINT_BYTES:
        raise ValueError("a P-256 public key has 65 bytes")
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), data)


def sign_bytes(key: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """Return the 64-byte ES256 signature r || s (RFC 9053, section 2.1)."""
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(COORDINATE_BYTES, "big") + s.to_bytes(COORDINATE_BYTES, "big")


def verify_bytes(key: ec.EllipticCurvePublicKey, message: bytes, signature: bytes) -> None:
    """Check an ES256 signature; raise BadSignatureError when it does not fit."""
    if len(signature) != SIGNATURE_BYTES:
        raise BadSignatureError("an ES256 signature has 64 bytes")
    r = int.from_bytes(signature[:COORDINATE_BYTES], "big")
    s = int.from_bytes(signature[COORDINATE_BYTES:], "big")
    try:
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise BadSignatureError("the signature does not fit") from error


def _body_message(purpose: Purpose, body: bytes) -> bytes:
    return purpose.value.encode("ascii") + b"\x00" + body


def sign_body(key: ec.EllipticCurvePrivateKey, purpose: Purpose, body: bytes) -> bytes:
    """Sign the exact bytes of a request body for one purpose."""
    return sign_bytes(key, _body_message(purpose, body))


def verify_body(
    key: ec.EllipticCurvePublicKey, purpose: Purpose, body: bytes, signature: bytes
) -> None:
    """Check the signature of a request body; raise BadSignatureError when it does not fit."""
    verify_bytes(key, _body_message(purpose, body), signature)
