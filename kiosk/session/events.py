"""What happens to a journey: touches, card, coins, printer, line, time."""

from dataclasses import dataclass, field
from datetime import datetime

from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.orders import Check
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import KindOffer, Member
from dedicated_line.contract.states import PrintResult, ProofStrength
from kiosk.cards.pin import Pin
from kiosk.session.state import Fault, Stage


# ------------------------------------------------------------------ touches
@dataclass(frozen=True)
class Begin:
    """「行政サービス」 was touched."""


@dataclass(frozen=True)
class Cancel:
    """「やめる」 was touched."""


@dataclass(frozen=True)
class Back:
    """「もどる」 was touched."""


@dataclass(frozen=True)
class Change:
    """「変更」 was touched on a line of the check screen."""

    to: Stage


@dataclass(frozen=True)
class StillHere:
    """The idle warning was answered."""


@dataclass(frozen=True)
class LastTryAccepted:
    """The resident wants to use the last try."""


@dataclass(frozen=True)
class PinTyped:
    """The PIN was typed; it goes to the card and nowhere else."""

    pin: Pin


@dataclass(frozen=True)
class KindChosen:
    """A kind was touched."""

    kind: Kind


@dataclass(frozen=True)
class MembersChosen:
    """Who shall be on the paper, by their handles."""

    members: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class OptionsChosen:
    """Which items shall be on the paper."""

    options: Options


@dataclass(frozen=True)
class CopiesChosen:
    """How many copies."""

    copies: int


@dataclass(frozen=True)
class Confirmed:
    """Everything on the check screen is right."""


@dataclass(frozen=True)
class PaperTaken:
    """The tray is empty."""


@dataclass(frozen=True)
class Done:
    """The last screen was touched away."""


# ------------------------------------------------------------------ card
@dataclass(frozen=True)
class CardSeen:
    """A My Number Card lies on the reader."""

    medium: str
    tries_left: int


@dataclass(frozen=True)
class CardTaken:
    """The reader is empty."""


@dataclass(frozen=True)
class CardLost:
    """Contact was lost in the middle; no try was used."""


@dataclass(frozen=True)
class PinWrong:
    """The card said so itself."""

    tries_left: int


# ------------------------------------------------------------------ centre
@dataclass(frozen=True)
class SignedIn:
    """Card, PIN and centre agree."""

    session: str
    municipality_name: str
    offers: tuple[KindOffer, ...]
    members: tuple[Member, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Refused:
    """A rule said no: the card's, the centre's or the issuing server's."""

    refusal: Refusal
    municipality_name: str | None = None
    kind: Kind | None = None
    opens_at: datetime | None = None
    tries_left: int | None = None
    session: str | None = None


@dataclass(frozen=True)
class Sealed:
    """The centre holds the finished, sealed certificate."""

    order: str
    fee: int


@dataclass(frozen=True)
class HeaderPassed:
    """The clerk's check of the header said yes."""

    numbers: tuple[str, ...]
    sheets: int


@dataclass(frozen=True)
class CheckFailed:
    """A clerk's check said no; evidence is for operators and has nothing of a resident."""

    check: Check
    evidence: str


@dataclass(frozen=True)
class Released:
    """The content is here and open, and its check said yes."""


@dataclass(frozen=True)
class PagesPassed:
    """All pages are drawn, and the clerk's check of all of them said yes."""


@dataclass(frozen=True)
class OutcomeKept:
    """The outcome is in the journal; acknowledged when the centre has it too."""

    acknowledged: bool


# ------------------------------------------------------------------ coins and printer
@dataclass(frozen=True)
class PrinterReady:
    """Ready, with paper for the whole set."""


@dataclass(frozen=True)
class ChangePossible:
    """The coin unit can give back all that it would accept."""


@dataclass(frozen=True)
class MoneyInserted:
    """Coins or notes came in; `receipt` once the amount due is complete."""

    amount: int
    receipt: str | None = None


@dataclass(frozen=True)
class MoneySettled:
    """What the coin unit did with the money."""

    kept: int
    returned: int
    owed: int


@dataclass(frozen=True)
class IssueDone:
    """What became of one copy at the printer."""

    number: str
    result: PrintResult
    proof: ProofStrength
    evidence: str
    window_ended: bool = False


# ------------------------------------------------------------------ anything
@dataclass(frozen=True)
class Broken:
    """Something failed; what is open is closed, what was paid is given back."""

    fault: Fault
    detail: str = ""
    incident: str | None = None
    session: str | None = None


@dataclass(frozen=True)
class Waited:
    """Nobody touched anything for `state.patience` seconds."""


@dataclass(frozen=True)
class Shutdown:
    """The kiosk's process has been told to end."""


Touch = (
    Begin
    | Cancel
    | Back
    | Change
    | StillHere
    | LastTryAccepted
    | PinTyped
    | KindChosen
    | MembersChosen
    | OptionsChosen
    | CopiesChosen
    | Confirmed
    | PaperTaken
    | Done
)
"""What the page may send."""
Event = (
    Touch
    | CardSeen
    | CardTaken
    | CardLost
    | PinWrong
    | SignedIn
    | Refused
    | Sealed
    | HeaderPassed
    | CheckFailed
    | Released
    | PagesPassed
    | OutcomeKept
    | PrinterReady
    | ChangePossible
    | MoneyInserted
    | MoneySettled
    | IssueDone
    | Broken
    | Waited
    | Shutdown
)
