"""What can be asked of a seal on paper: read it from a picture, and verify it."""

from datetime import date, datetime, time
from typing import Final

import zxingcpp
from PIL import Image

from dedicated_line.clock import TOKYO
from dedicated_line.contract import cose
from dedicated_line.contract.key_list import KeyList, KeyUse, UntrustedKeyError, trusted_key
from dedicated_line.contract.keys import BadSignatureError, Purpose
from dedicated_line.contract.seal import (
    PREFIX,
    NotASealError,
    SealClaims,
    decode_claims,
    from_qr_text,
)
from dedicated_line.errors import KofuError

NOON: Final = time(12)
"""Of the attested date, Tokyo time: the instant for which a key must have been trusted."""


class SealError(KofuError):
    """A seal that does not hold."""


class NotASealOfOursError(SealError):
    """The code holds something else, or a damaged seal."""


class UnknownKeyError(SealError):
    """No key in the list was trusted for this municipality on that date."""


class ForgedSealError(SealError):
    """The signature does not fit: the seal was made or changed by somebody else."""


def read_seal_texts(image: Image.Image) -> list[str]:
    """Return the texts of our seals in a picture, from the top down, each place once.

    zxing-cpp reads them: a decoder that has no part in drawing.
    """
    formats = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
    found = zxingcpp.read_barcodes(image.convert("L"), formats=formats)
    ours = [code for code in found if code.text.startswith(PREFIX)]
    ours.sort(key=lambda code: (code.position.top_left.y, code.position.top_left.x))
    return [code.text for code in ours]


def _key_instant(attested_on: date) -> datetime:
    return datetime.combine(attested_on, NOON, TOKYO)


def verify_seal(text: str, keys: KeyList) -> SealClaims:
    """Return what a seal says once its signature holds.

    Args:
        text: what stands in the QR code.
        keys: the key list, already verified under the root.

    Raises:
        NotASealOfOursError: not a seal, or damaged.
        UnknownKeyError: its key is not in the list for that municipality and date.
        ForgedSealError: the signature does not fit.
    """
    try:
        signed = cose.read(from_qr_text(text))
        claims = decode_claims(signed.payload)
    except (NotASealError, BadSignatureError) as error:
        raise NotASealOfOursError(f"this QR code is no seal of ours: {error}") from error
    at = _key_instant(claims.attested_on)
    try:
        key = trusted_key(keys, signed.key_id, KeyUse.SEAL, claims.municipality, at)
    except UntrustedKeyError as error:
        raise UnknownKeyError(
            f"the key list has no seal key of municipality {claims.municipality} that was trusted "
            f"on {claims.attested_on}; fetch the newest list, or do not accept this paper"
        ) from error
    try:
        cose.verify(signed, key, Purpose.SEAL)
    except BadSignatureError as error:
        raise ForgedSealError(
            "the signature of this seal does not fit: do not accept this paper"
        ) from error
    if claims.number[:6] != claims.municipality:
        raise ForgedSealError("the seal contradicts itself: do not accept this paper")
    return claims
