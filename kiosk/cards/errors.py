"""How a dialogue with a card or its reader can fail; each failure is a class of its own."""

from dedicated_line.contract.refusals import Refusal
from dedicated_line.errors import Exit, KofuError, UsageError


class CardError(KofuError):
    """Something between the kiosk and the card."""


class MalformedPinError(UsageError):
    """What was typed cannot be a PIN; the card was not asked."""

    def __init__(self) -> None:
        super().__init__("the PIN of the user-authentication certificate has four digits")


class CardRefusedError(CardError):
    """The card, or the rule about cards, says no; `refusal` is what the resident is told."""

    exit_code = Exit.REFUSED
    refusal: Refusal
    tries_left: int | None = None
    """Of the PIN, where the card said it."""


class WrongPinError(CardRefusedError):
    """The PIN does not match."""

    refusal = Refusal.WRONG_PIN

    def __init__(self, tries_left: int) -> None:
        super().__init__(f"the PIN does not match; the card allows {tries_left} more")
        self.tries_left = tries_left


class PinBlockedError(CardRefusedError):
    """No try is left."""

    refusal = Refusal.PIN_BLOCKED
    tries_left = 0

    def __init__(self) -> None:
        super().__init__("the PIN is blocked; the municipal office can set it anew")


class LastTryError(CardRefusedError):
    """One try is left and the resident has not said that they want to use it."""

    refusal = Refusal.LAST_TRY
    tries_left = 1

    def __init__(self) -> None:
        super().__init__("one try is left before the card is blocked; say that you want to use it")


class OldJukiCardError(CardRefusedError):
    """The card is an old resident register card: refused, inside its ten-year term or not."""

    refusal = Refusal.OLD_JUKI_CARD

    def __init__(self, *, in_term: bool | None = None) -> None:
        """Take whether it can be inside its term; None where no clock was asked."""
        known = {
            None: "",
            True: ", perhaps still in its ten-year term but not accepted here",
            False: ", and the last of them expired on 2025-12-28",
        }
        super().__init__(f"this is an old Juki card{known[in_term]}; use a My Number Card")
        self.in_term = in_term


class UnknownCardError(CardRefusedError):
    """The card is none that a kiosk serves."""

    refusal = Refusal.UNKNOWN_CARD

    def __init__(self) -> None:
        super().__init__("this is not a My Number Card; hold up a My Number Card")


class LostContactError(CardError):
    """The card went away, or stopped answering, in mid-dialogue; no word about its PIN."""

    def __init__(self) -> None:
        super().__init__("contact with the card was lost; hold the card still and try again")


class CardFaultError(CardError):
    """The card answered what this step of the dialogue cannot mean."""

    def __init__(self, step: str, status: int | None) -> None:
        """Take the step's name and the status word; None when the answer has no form at all."""
        word = "an answer without form" if status is None else f"status {status:04X}"
        super().__init__(
            f"the card gave {word} to {step}; hold it up again or ask at the municipal office"
        )
        self.step = step
        self.status = status


class AccessDeniedError(CardFaultError):
    """6982: the card wants a PIN first."""


class WrongStateError(CardFaultError):
    """6985: the card does not take this now."""


class FileMissingError(CardFaultError):
    """6A82: the card has no such file."""


class WrongParametersError(CardFaultError):
    """6A86: the card does not know P1 and P2."""


class PastTheEndError(CardFaultError):
    """6B00: beyond the end of the file."""


class WrongLengthError(CardFaultError):
    """6700: the card does not take this length."""


class ReaderError(CardError):
    """Something about the reader, before any card is asked."""


class PcscDownError(ReaderError):
    """The PC/SC service does not answer."""

    def __init__(self) -> None:
        super().__init__("pcscd is not running; start it with: pcscd --foreground")


class NoReaderError(ReaderError):
    """No reader, or not the one asked for."""


class ReaderBusyError(ReaderError):
    """Another program holds the card."""

    def __init__(self, reader: str) -> None:
        super().__init__(f"another program is using the card in {reader}; end it and try again")


class NoCardError(ReaderError):
    """No card came in time."""

    def __init__(self, reader: str, seconds: float) -> None:
        super().__init__(f"no card was held to {reader} within {seconds:g} s; hold up a card")


class CardLeftError(ReaderError):
    """The card was not taken back in time."""

    def __init__(self, reader: str, seconds: float) -> None:
        super().__init__(f"the card still lies on {reader} after {seconds:g} s; take it back")
