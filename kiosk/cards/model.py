"""What is known of a card: its medium, its tries, its word."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from dedicated_line.contract.sessions import CardAlgorithm

PIN_DIGITS = 4
"""Of the user-authentication PIN."""
OLD_JUKI_LAST_DAY: Final = date(2025, 12, 28)
"""Old Juki cards are valid for ten years and the last was issued on 2015-12-28."""
_TOKYO: Final = ZoneInfo("Asia/Tokyo")


class Medium(StrEnum):
    """What carries the JPKI application, by its token label."""

    MY_NUMBER_CARD = "JPKIAPICCTOKEN2"
    OLD_JUKI_CARD = "JPKIAPICCTOKEN"
    ANDROID = "JPKIAPGPSETOKEN"
    IPHONE = "JPKIAPIOSTOKEN"
    UNKNOWN = "unknown"

    @property
    def words(self) -> str:
        """Return what people call it."""
        return _WORDS[self]


_WORDS: Final = {
    Medium.MY_NUMBER_CARD: "My Number Card",
    Medium.OLD_JUKI_CARD: "old Juki card",
    Medium.ANDROID: "phone (Android)",
    Medium.IPHONE: "phone (iPhone)",
    Medium.UNKNOWN: "unknown card",
}
SERVED: Final = frozenset({Medium.MY_NUMBER_CARD, Medium.ANDROID, Medium.IPHONE})
"""A phone speaks like a card, and its certificates come from the same CAs: the centre decides."""


def old_juki_in_term(now: datetime) -> bool:
    """Tell whether an old Juki card can still be inside its ten years at that time."""
    return now.astimezone(_TOKYO).date() <= OLD_JUKI_LAST_DAY


def medium_of(label: str) -> Medium:
    """Return the medium that a token label names; anything else is `Medium.UNKNOWN`."""
    known = label in set(Medium) and label != Medium.UNKNOWN
    return Medium(label) if known else Medium.UNKNOWN


def is_pin(text: str) -> bool:
    """Tell whether text can be a user-authentication PIN: four ASCII digits."""
    return len(text) == PIN_DIGITS and text.isascii() and text.isdigit()


@dataclass(frozen=True)
class CardLook:
    """What a card tells anyone, before any PIN."""

    medium: Medium
    label: str
    """The token label as it stands on the card, without its padding."""
    tries_left: int
    """Of the user-authentication PIN; 0 means blocked."""
    algorithm: CardAlgorithm

    @property
    def last_try(self) -> bool:
        """Tell whether one more wrong PIN blocks the card."""
        return self.tries_left == 1


@dataclass(frozen=True)
class CardWord:
    """What a card says for its holder, after the PIN."""

    user_certificate: bytes
    """DER, as read from the card."""
    algorithm: CardAlgorithm
    signature: bytes = field(repr=False)
    """Over the message: PKCS#1 v1.5 for RS256, DER for ES384."""
