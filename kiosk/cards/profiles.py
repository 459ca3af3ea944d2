"""Card profiles: what differs between generations of cards, as data.

Sources of the ids of `MY_NUMBER_CARD`: the open-source drivers (OpenSC card-jpki and pkcs15-jpki,
jpki/myna), which agree with each other.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dedicated_line.contract.sessions import CardAlgorithm

_DIGEST_INFO_SHA256: Final = bytes.fromhex("3031300D060960864801650304020105000420")
"""DigestInfo up to the digest (RFC 8017, section 9.2, note 1)."""


def _digest_info_sha256(message: bytes) -> bytes:
    return _DIGEST_INFO_SHA256 + hashlib.sha256(message).digest()


def _sha384(message: bytes) -> bytes:
    return hashlib.sha384(message).digest()


@dataclass(frozen=True)
class CardProfile:
    """One generation of cards: its application, files, key and signature."""

    name: str
    algorithm: CardAlgorithm
    aid: bytes
    token_info: int
    """EF with the token label; free to read."""
    token_info_bytes: int
    token_label_bytes: int
    user_certificate: int
    """EF with the user-authentication certificate; free to read."""
    user_pin: int
    user_key: int
    signature_bytes: range
    """Lengths that a signature can have."""
    to_be_signed: Callable[[bytes], bytes]
    """From the message to what the card signs."""


MY_NUMBER_CARD: Final = CardProfile(
    name="my-number-card",
    algorithm=CardAlgorithm.RS256,
    aid=bytes.fromhex("D392F000260100000001"),
    token_info=0x0006,
    token_info_bytes=160,
    token_label_bytes=32,
    user_certificate=0x000A,
    user_pin=0x0018,
    user_key=0x0017,
    signature_bytes=range(256, 257),
    to_be_signed=_digest_info_sha256,
)
"""The card of today: RSA-2048, SHA-256."""

NEXT_CARD: Final = CardProfile(
    name="next-card",
    algorithm=CardAlgorithm.ES384,
    aid=bytes.fromhex("F04B4F46550000000001"),
    token_info=0x0006,
    token_info_bytes=160,
    token_label_bytes=32,
    user_certificate=0x000A,
    user_pin=0x0018,
    user_key=0x0017,
    signature_bytes=range(8, 105),
    to_be_signed=_sha384,
)
"""The card planned for about fiscal 2028: P-384 and SHA-384 are announced, its ids are not.

The AID is made up, in the range that ISO/IEC 7816-5 leaves to the unregistered (first digit F), so
that no real card answers to it; a DER signature of P-384 has 8 to 104 bytes.
"""

PROFILES: Final = (MY_NUMBER_CARD, NEXT_CARD)
"""In the order in which a card is asked."""
