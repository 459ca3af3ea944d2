"""What can be wrong with an order, each with the one thing to do about it."""

from dedicated_line.contract.refusals import Refusal
from dedicated_line.errors import KofuError


class OrderError(KofuError):
    """A request about an order cannot be done; `order` is its id where there is one."""

    def __init__(self, sentence: str, order: str | None = None) -> None:
        """Say what to do."""
        super().__init__(sentence)
        self.order = order


class UnknownOrderError(OrderError):
    """No order of this kiosk has this id."""


class WrongStateError(OrderError):
    """The order is not where this request could move it."""


class KeyReusedError(OrderError):
    """The idempotency key came before with another body or for another request."""


class BadOrderSignatureError(OrderError):
    """The signature over the body does not fit."""


class TooManyOrdersError(OrderError):
    """The session has had all its orders."""


class CannotReplaceError(OrderError):
    """The issue named by `replaces` cannot be reprinted by this order."""


class WrongAmountError(OrderError):
    """The money taken is not the order's fee."""


class WindowClosedError(OrderError):
    """The print window has ended; the certificate is deleted here."""


class ClerkSaysNoError(OrderError):
    """The clerk's check at the centre found a difference; nothing is charged, nothing printed."""


class OrderRefusedError(OrderError):
    """A rule said no; `refusal` is what the resident may be told."""

    def __init__(self, refusal: Refusal, order: str) -> None:
        """Take the refusal and the order that ended by it."""
        super().__init__(f"the order ended: {refusal.value}; nothing is charged", order)
        self.refusal = refusal


class IssuerRefusedError(KofuError):
    """The issuing server says no, in the contract's words."""

    def __init__(self, refusal: Refusal) -> None:
        """Take the public refusal."""
        super().__init__(f"the issuing server refuses: {refusal.value}")
        self.refusal = refusal


class IssuerUnavailableError(KofuError):
    """The issuing server is down, slow, or answers what cannot be read."""


class KeyListMissingError(KofuError):
    """There is no key list that can be trusted now."""
