"""Errors of identity, each with the one thing to do about it."""

from typing import Final

from dedicated_line.contract.refusals import Refusal
from dedicated_line.errors import Exit, KofuError

_SENTENCES: Final = {
    Refusal.CERTIFICATE_EXPIRED: "the user certificate has expired; renew it at the municipality",
    Refusal.CERTIFICATE_REVOKED: "the user certificate is revoked; ask at the municipality",
    Refusal.CERTIFICATE_UNKNOWN: (
        "the user certificate is of a CA that is not trusted here; "
        "check the card and the folder of trusted CAs"
    ),
    Refusal.CARD_NOT_CONFIRMED: "the card's word does not hold; hold the card up and begin again",
    Refusal.REGISTERED_TOMORROW: "the user certificate is new today; come again tomorrow",
    Refusal.CANNOT_CONFIRM: "the validity centre cannot say now; come again later",
}


class CardRefusedError(KofuError):
    """The card's holder cannot be confirmed; `refusal` is what they may be told."""

    exit_code = Exit.REFUSED

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        """Say what to do; detail is for operators and names no person."""
        sentence = _SENTENCES[refusal]
        super().__init__(f"{sentence} ({detail})" if detail else sentence)
        self.refusal = refusal
        self.detail = detail


class NoTrustError(KofuError):
    """The folder of trusted CAs is missing, empty, or holds what is no CA certificate."""


class SessionsDownError(KofuError):
    """Redis does not answer; nothing that must be kept is lost."""


class ChallengeUsedError(KofuError):
    """A session's challenge has been answered before, with other bytes; begin a new session."""
