"""What the state machine asks for; each command is answered by exactly one event."""

from dataclasses import dataclass, field

from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.orders import Check
from kiosk.cards.pin import Pin
from kiosk.session.state import Issue


@dataclass(frozen=True)
class SignIn:
    """Open a session, have the card sign, present its holder."""

    pin: Pin
    go_ahead_at_last_try: bool


@dataclass(frozen=True)
class PlaceOrder:
    """Ask for the certificate to be composed and sealed."""

    kind: Kind
    options: Options = field(repr=False)
    members: tuple[str, ...] = field(repr=False)
    copies: int


@dataclass(frozen=True)
class CheckHeader:
    """Do the clerk's check on the header."""


@dataclass(frozen=True)
class AskPrinter:
    """Is the printer ready, with paper for so many pages?"""

    pages: int


@dataclass(frozen=True)
class AskChange:
    """Can the coin unit give back all that it would accept?"""

    amount: int


@dataclass(frozen=True)
class Release:
    """Ask for the content, open it and check it."""

    amount: int
    receipt: str | None


@dataclass(frozen=True)
class DrawAndCheck:
    """Draw all pages of all copies and do the clerk's check on all of them."""


@dataclass(frozen=True)
class Print:
    """Send one copy to the printer."""

    number: str


@dataclass(frozen=True)
class SettleMoney:
    """Keep so much, give the rest back."""

    keep: int
    give_back: int


@dataclass(frozen=True)
class CloseOrder:
    """Write the outcome to the journal and tell the centre."""

    issues: tuple[Issue, ...]
    rejected: Check | None
    evidence: str
    kept: int
    returned: int
    owed: int


@dataclass(frozen=True)
class Forget:
    """Wipe keys, names, pages and content of this resident. Answered by nothing."""


Command = (
    SignIn
    | PlaceOrder
    | CheckHeader
    | AskPrinter
    | AskChange
    | Release
    | DrawAndCheck
    | Print
    | SettleMoney
    | CloseOrder
    | Forget
)
