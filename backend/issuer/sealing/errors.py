"""Errors of the issuing server, each with the one thing to do about it."""

from backend.issuer.kinds.model import Refused, public
from dedicated_line.contract.refusals import Refusal
from dedicated_line.errors import Exit, KofuError


class IssueRefusedError(KofuError):
    """A rule said no. The reason stays inside; `refusal` is what a resident may be told."""

    exit_code = Exit.REFUSED

    def __init__(self, refusal: Refusal) -> None:
        """Take the public word; the sentence is the same for every reason behind it."""
        super().__init__(f"refused: {refusal.value}")
        self.refusal = refusal

    @classmethod
    def because(cls, refused: Refused) -> "IssueRefusedError":
        """Return the error of a rule's answer, without its reason."""
        return cls(public(refused.reason))


class OrderUnreadableError(KofuError):
    """The order's bytes are no order; the kiosk must send it as the contract says."""


class OrderForgedError(KofuError):
    """Signature, session or member handles are not of the session that the card has signed."""


class OrderReusedError(KofuError):
    """This order came before with another body; a new order needs a new id."""


class OrderUnknownError(KofuError):
    """No order of this id was sealed here for this municipality."""


class OrderGoneError(KofuError):
    """This order was sealed, and its ciphertext is deleted; place a new order."""


class KeysMissingError(KofuError):
    """Keys are missing or unreadable; run ``kofu-backend keys init``."""
