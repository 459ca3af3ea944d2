"""What is true of a journey at one moment: a frozen value, which a screen or a test only reads."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.numbers import reference_number
from dedicated_line.contract.orders import Check
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import KindOffer, Member
from dedicated_line.contract.states import PrintResult, ProofStrength


class Stage(StrEnum):
    """Where a journey stands; each is one screen."""

    START = "start"
    HOLD_CARD = "hold-card"
    PIN = "pin"
    SIGNING_IN = "signing-in"
    TAKE_CARD = "take-card"
    KIND = "kind"
    WHO = "who"
    OPTIONS = "options"
    COPIES = "copies"
    CONFIRM = "confirm"
    ORDERING = "ordering"
    PAY = "pay"
    RELEASING = "releasing"
    DRAWING = "drawing"
    PRINTING = "printing"
    CLOSING = "closing"
    """Money is settled and the centre is told how the order ended."""
    TAKE_PAPER = "take-paper"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    FAULT = "fault"


CHOOSING = (Stage.KIND, Stage.WHO, Stage.OPTIONS, Stage.COPIES, Stage.CONFIRM)
"""In the order in which they are shown."""
ENDED = frozenset({Stage.FINISHED, Stage.CANCELLED, Stage.REFUSED, Stage.FAULT})
MAY_CANCEL = frozenset(
    {Stage.HOLD_CARD, Stage.PIN, Stage.TAKE_CARD, *CHOOSING, Stage.PAY},
)
"""Where 「やめる」 is on the screen."""


class Fault(StrEnum):
    """Why a journey could not go on, where no rule said no."""

    LINE_LOST = "line-lost"
    CENTRE_ERROR = "centre-error"
    """The centre answered what it should not; `Ending.incident` may be its own incident's id."""
    SESSION_LOST = "session-lost"
    """The centre no longer knows the session: start again."""
    CLOCK_WRONG = "clock-wrong"
    """Kiosk and centre are more than 60 s apart."""
    NOT_TRUSTED = "not-trusted"
    """Key list, personal part or answer does not hold under the pinned root or session key."""
    READER_DOWN = "reader-down"
    CARD_FAULT = "card-fault"
    PRINTER_NOT_READY = "printer-not-ready"
    NO_CHANGE = "no-change"
    COINS_FAILED = "coins-failed"
    CHECK_FAILED = "check-failed"
    """A clerk's check said no: nothing was printed, the kind is stopped at this kiosk."""
    NOT_DRAWN = "not-drawn"
    """A page has no room or no font for a text."""
    PRINT_WINDOW = "print-window"
    NOT_PRINTED = "not-printed"
    """At least one copy was spoiled, or nobody can say whether it was printed."""
    JOURNAL = "journal"
    OUT_OF_SERVICE = "out-of-service"
    """The kiosk is being shut down."""
    INTERNAL = "internal"


class Notice(StrEnum):
    """What a screen says beside its question."""

    CARD_LOST = "card-lost"
    """Contact was lost: hold the card again. No try was used."""
    WRONG_PIN = "wrong-pin"
    KIND_CLOSED = "kind-closed"


class Awaits(StrEnum):
    """What must come from outside before the journey moves, beside touches and time."""

    NOTHING = "nothing"
    CARD = "card"
    CARD_REMOVAL = "card-removal"
    MONEY = "money"
    PAPER_TAKEN = "paper-taken"


@dataclass(frozen=True)
class Ending:
    """How it ended, where it did not end with paper in the hand."""

    refusal: Refusal | None = None
    fault: Fault | None = None
    kind: Kind | None = None
    opens_at: datetime | None = None
    """When a closed kind opens, where that is known (UTC)."""
    tries_left: int | None = None
    detail: str = ""
    """For operators; never anything of a resident."""
    incident: str | None = None


@dataclass(frozen=True)
class Wish:
    """What the resident has chosen so far; every option that is sensitive is off."""

    kind: Kind | None = None
    members: tuple[str, ...] = ()
    """Handles."""
    options: Options = field(default_factory=Options)
    copies: int = 1


@dataclass(frozen=True)
class Issue:
    """One copy at this kiosk."""

    number: str
    result: PrintResult | None = None
    """None as long as nothing of it was sent."""
    proof: ProofStrength = ProofStrength.NONE
    evidence: str = ""


@dataclass(frozen=True)
class Order:
    """The order that is open at the centre."""

    order: str
    fee: int
    """Yen, all copies."""
    issues: tuple[Issue, ...] = ()
    """Empty until the header has passed its check."""
    sheets: int = 0
    """Pages of one copy."""
    release_asked: bool = False
    released: bool = False
    closed: bool = False
    """Money is settled and the outcome is in the journal."""
    acknowledged: bool = False
    """The centre has the outcome."""
    rejected: Check | None = None
    rejection: str = ""

    @property
    def price(self) -> int:
        """Return the price of one copy in yen."""
        return self.fee // len(self.issues) if self.issues else 0

    @property
    def earned(self) -> int:
        """Return what may be kept: the price of each copy with proof of print."""
        printed = sum(issue.result is PrintResult.PRINTED for issue in self.issues)
        return self.fee if printed == len(self.issues) and printed else self.price * printed

    @property
    def reference(self) -> str:
        """Return the reference number (受付番号)."""
        return reference_number(self.order)


@dataclass(frozen=True)
class Till:
    """The money of this journey in yen, by the coin unit's word."""

    inserted: int = 0
    taken: int = 0
    receipt: str | None = None
    returned: int = 0
    owed: int = 0
    kept: int = 0


@dataclass(frozen=True)
class Session:
    """All that a screen may show. The PIN is never in it; names never leave memory."""

    stage: Stage = Stage.START
    version: int = 0
    """Grows with every change: `state_version` on the page."""
    journey: int = 0
    """Counts residents, so that nothing of one reaches the next."""
    warned: bool = False
    """The idle warning is showing."""
    notice: Notice | None = None
    card_in: bool = False
    medium: str | None = None
    tries_left: int | None = None
    last_try_accepted: bool = False
    session: str | None = None
    """The session's id at the centre; its first characters are the reference number."""
    municipality_name: str | None = None
    offers: tuple[KindOffer, ...] = ()
    members: tuple[Member, ...] = field(default=(), repr=False)
    wish: Wish = field(default_factory=Wish, repr=False)
    order: Order | None = None
    till: Till = field(default_factory=Till)
    doing: str = ""
    """The step of a longer stage, by its command's name; for progress."""
    ending: Ending | None = None

    @property
    def awaits(self) -> Awaits:
        """Return what the driver must look at while nobody touches anything."""
        if self.stage is Stage.HOLD_CARD:
            return Awaits.CARD
        if self.card_in and (self.stage in {Stage.PIN, Stage.TAKE_CARD} or self.stage in ENDED):
            return Awaits.CARD_REMOVAL
        if self.stage is Stage.PAY:
            return Awaits.MONEY
        if self.stage is Stage.TAKE_PAPER:
            return Awaits.PAPER_TAKEN
        return Awaits.NOTHING

    @property
    def waits(self) -> bool:
        """Tell whether the next move comes from outside, not from a command that is running."""
        return self.stage not in BUSY

    @property
    def reference(self) -> str | None:
        """Return what a resident can quote (受付番号), once there is one."""
        if self.order is not None:
            return self.order.reference
        return None if self.session is None else reference_number(self.session)

    @property
    def offer(self) -> KindOffer | None:
        """Return the offer of the chosen kind."""
        return next((offer for offer in self.offers if offer.kind is self.wish.kind), None)

    @property
    def total(self) -> int:
        """Return what the wish would cost in yen."""
        return 0 if self.offer is None else self.offer.fee * self.wish.copies

    @property
    def holder(self) -> Member | None:
        """Return the member whose card it is."""
        return next((member for member in self.members if member.holder), None)

    @property
    def chosen(self) -> tuple[Member, ...]:
        """Return the members on the paper, in the household's order."""
        return tuple(member for member in self.members if member.handle in self.wish.members)


BUSY = frozenset(
    {
        Stage.SIGNING_IN,
        Stage.ORDERING,
        Stage.RELEASING,
        Stage.DRAWING,
        Stage.PRINTING,
        Stage.CLOSING,
    }
)
"""A command is running; touches change nothing."""

_WARN_SECONDS = 60.0
_ANSWER_SECONDS = 30.0
_END_SECONDS = 20.0
_MONEY_SECONDS = 180.0


def patience(session: Session) -> float | None:
    """Return after how many seconds without a touch `Waited` is due; None for never.

    Source: the kiosk's requirements 11 (warn at 60 s, 30 s to answer) and 13 (money, 3 min).
    """
    if session.stage is Stage.START or session.stage in BUSY:
        return None
    if session.stage in ENDED:
        return _END_SECONDS
    if session.stage is Stage.PAY and session.till.inserted:
        return _MONEY_SECONDS
    return _ANSWER_SECONDS if session.warned else _WARN_SECONDS
