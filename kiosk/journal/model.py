"""What the journal knows of an order, and what outcome follows from it."""

from dataclasses import dataclass

from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.orders import (
    Check,
    IssueOutcome,
    MoneyFact,
    Outcome,
    OutcomeResult,
)
from dedicated_line.contract.states import PrintResult, ProofStrength

EVIDENCE_CHARACTERS = 500
"""The most that an outcome carries (contract)."""


@dataclass(frozen=True)
class IssueEntry:
    """One issue in the journal."""

    number: str
    printing: bool = False
    """The first byte may have been sent."""
    result: PrintResult | None = None
    proof: ProofStrength = ProofStrength.NONE
    evidence: str = ""


@dataclass(frozen=True)
class OrderEntry:
    """One order in the journal."""

    order: str
    kind: Kind
    fee: int
    release_asked: bool = False
    released: bool = False
    taken: int = 0
    kept: int | None = None
    """None until the money is settled."""
    returned: int | None = None
    owed: int | None = None
    rejected: str | None = None
    """The clerk's check that said no."""
    evidence: str = ""
    outcome: bytes | None = None
    outcome_key: str | None = None
    acknowledged: bool = False
    issues: tuple[IssueEntry, ...] = ()

    @property
    def settled(self) -> bool:
        """Tell whether the money is settled."""
        return self.kept is not None


def after_restart(issue: IssueEntry) -> IssueEntry:
    """Return what is known of an issue when the kiosk died: nobody knows about a begun page."""
    if issue.result is not None:
        return issue
    result = PrintResult.UNKNOWN if issue.printing else PrintResult.SPOILED
    words = "the kiosk stopped while printing" if issue.printing else "nothing was sent"
    return IssueEntry(issue.number, issue.printing, result, ProofStrength.NONE, words)


def earned(entry: OrderEntry) -> int:
    """Return what may be kept in yen: the price of each copy with proof of print."""
    printed = sum(issue.result is PrintResult.PRINTED for issue in entry.issues)
    if not printed:
        return 0
    return entry.fee if printed == len(entry.issues) else entry.fee // len(entry.issues) * printed


def outcome_of(entry: OrderEntry) -> Outcome:
    """Return what the centre is told: `entry`'s money is settled and each sent issue decided.

    Nothing sent at all is a cancellation, which the centre reads as abandoned before release and
    as spoiled after it: so it is right even where the kiosk does not know whether the release
    reached the centre.
    """
    kept, returned, owed = entry.kept or 0, entry.returned or 0, entry.owed or 0
    # Coins that came back before the price was complete never became money of the order.
    whole = entry.taken or owed
    money = MoneyFact(
        taken=kept + returned + owed if whole else 0, returned=returned if whole else 0, owed=owed
    )
    evidence = entry.evidence[:EVIDENCE_CHARACTERS]
    if entry.rejected is not None:
        return Outcome(
            order=entry.order,
            result=OutcomeResult.REJECTED,
            check=Check(entry.rejected),
            evidence=evidence,
            money=money,
        )
    if not entry.released:
        return Outcome(
            order=entry.order, result=OutcomeResult.CANCELLED, evidence=evidence, money=money
        )
    issues = tuple(
        IssueOutcome(
            number=issue.number,
            result=issue.result or PrintResult.SPOILED,
            proof=issue.proof,
            evidence=issue.evidence[:EVIDENCE_CHARACTERS],
        )
        for issue in entry.issues
    )
    return Outcome(order=entry.order, result=OutcomeResult.FINISHED, issues=issues, money=money)
