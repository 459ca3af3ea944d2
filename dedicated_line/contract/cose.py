"""COSE_Sign1 with ES256 (RFC 9052, section 4.2), the purpose in the protected header."""

from dataclasses import dataclass
from typing import Final

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from dedicated_line.contract import canonical
from dedicated_line.contract.keys import BadSignatureError, Purpose, sign_bytes, verify_bytes

TAG: Final = 18
ALGORITHM: Final = 1
KEY_ID: Final = 4
PURPOSE: Final = -65537
"""A private label (RFC 9052, section 1.5: less than -65536)."""
ES256: Final = -7
PARTS: Final = 4


@dataclass(frozen=True)
class Signed:
    """A COSE_Sign1 that has been taken apart but not yet verified."""

    key_id: str
    purpose: Purpose
    payload: bytes
    protected: bytes
    signature: bytes


def _to_be_signed(protected: bytes, payload: bytes) -> bytes:
    return canonical.encode(["Signature1", protected, b"", payload])


def sign(key: ec.EllipticCurvePrivateKey, key_id: str, purpose: Purpose, payload: bytes) -> bytes:
    """Return the tagged COSE_Sign1 bytes over payload."""
    protected = canonical.encode(
        {ALGORITHM: ES256, KEY_ID: key_id.encode(), PURPOSE: purpose.value}
    )
    signature = sign_bytes(key, _to_be_signed(protected, payload))
    return canonical.encode(cbor2.CBORTag(TAG, [protected, {}, payload, signature]))


def read(data: bytes) -> Signed:
    """Take a COSE_Sign1 apart; raise BadSignatureError when it is not one of ours."""
    try:
        tag = canonical.decode(data)
        if not isinstance(tag, cbor2.CBORTag) or tag.tag != TAG:
            raise BadSignatureError("not a COSE_Sign1")
        parts = tag.value
        if not isinstance(parts, list | tuple) or len(parts) != PARTS or parts[1]:
            raise BadSignatureError("not a COSE_Sign1 of ours")
        protected, _, payload, signature = parts
        if not all(isinstance(part, bytes) for part in (protected, payload, signature)):
            raise BadSignatureError("not a COSE_Sign1 of ours")
        header = canonical.decode(protected)
        if not isinstance(header, dict) or set(header) != {ALGORITHM, KEY_ID, PURPOSE}:
            raise BadSignatureError("its protected header is not ours")
        if header[ALGORITHM] != ES256 or not isinstance(header[KEY_ID], bytes):
            raise BadSignatureError("not ES256 with a key id")
        return Signed(
            key_id=header[KEY_ID].decode("ascii"),
            purpose=Purpose(header[PURPOSE]),
            payload=payload,
            protected=protected,
            signature=signature,
        )
    except BadSignatureError:
        raise
    except ValueError as error:
        raise BadSignatureError("not a COSE_Sign1 of ours") from error


def verify(signed: Signed, key: ec.EllipticCurvePublicKey, purpose: Purpose) -> bytes:
    """Return the payload once signature and purpose hold; raise BadSignatureError otherwise."""
    if signed.purpose is not purpose:
        raise BadSignatureError(f"signed for {signed.purpose}, not for {purpose}")
    verify_bytes(key, _to_be_signed(signed.protected, signed.payload), signed.signature)
    return signed.payload
