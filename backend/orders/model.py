"""What is true of orders: the states of an issue, its number and its money, and how they move."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from dedicated_line.contract.orders import IssueOutcome, MoneyFact, Outcome, OutcomeResult
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.states import (
    IssueState,
    MoneyState,
    NumberStatus,
    PrintResult,
    ProofStrength,
)

_I = IssueState
_M = MoneyState
_N = NumberStatus

ISSUE_MOVES: Final[Mapping[IssueState, frozenset[IssueState]]] = MappingProxyType(
    {
        _I.INTENDED: frozenset({_I.SEALED, _I.REFUSED, _I.ABANDONED}),
        _I.SEALED: frozenset({_I.RELEASED, _I.ABANDONED}),
        _I.RELEASED: frozenset({_I.PRINTED, _I.SPOILED, _I.UNKNOWN}),
        _I.UNKNOWN: frozenset({_I.PRINTED, _I.SPOILED}),
        _I.PRINTED: frozenset(),
        _I.SPOILED: frozenset(),
        _I.ABANDONED: frozenset(),
        _I.REFUSED: frozenset(),
    }
)
"""The drawing of the design, flow.md section 3."""
MONEY_MOVES: Final[Mapping[MoneyState, frozenset[MoneyState]]] = MappingProxyType(
    {
        _M.NONE: frozenset({_M.DUE}),
        _M.DUE: frozenset({_M.TAKEN, _M.REFUNDED, _M.OWED}),
        _M.TAKEN: frozenset({_M.KEPT, _M.REFUNDED, _M.OWED}),
        _M.OWED: frozenset({_M.REPAID, _M.REFUNDED, _M.KEPT, _M.NONE}),
        _M.REFUNDED: frozenset({_M.NONE}),
        _M.REPAID: frozenset({_M.NONE}),
        _M.KEPT: frozenset(),
    }
)
"""From due straight back: taken and given back by the unit before the centre heard of either.
From owed to kept: a late outcome says that the paper came out after all and nothing was given
back. To none from what was given back: the same, a loss that is written down."""
PAIRS: Final[Mapping[IssueState, frozenset[MoneyState]]] = MappingProxyType(
    {
        _I.INTENDED: frozenset({_M.NONE}),
        _I.SEALED: frozenset({_M.NONE, _M.DUE}),
        _I.RELEASED: frozenset({_M.NONE, _M.TAKEN}),
        _I.PRINTED: frozenset({_M.NONE, _M.KEPT}),
        _I.SPOILED: frozenset({_M.NONE, _M.REFUNDED, _M.OWED, _M.REPAID}),
        _I.UNKNOWN: frozenset({_M.NONE, _M.REFUNDED, _M.OWED, _M.REPAID}),
        _I.ABANDONED: frozenset({_M.NONE, _M.DUE, _M.REFUNDED, _M.OWED, _M.REPAID}),
        _I.REFUSED: frozenset({_M.NONE, _M.DUE}),
    }
)
"""Which money goes with which state; the final pairs are those of the design."""
NUMBERS: Final[Mapping[IssueState, frozenset[NumberStatus]]] = MappingProxyType(
    {
        _I.INTENDED: frozenset({_N.PENDING}),
        _I.SEALED: frozenset({_N.PENDING}),
        _I.RELEASED: frozenset({_N.PENDING}),
        _I.PRINTED: frozenset({_N.VALID, _N.RECALLED}),
        _I.SPOILED: frozenset({_N.VOID}),
        _I.UNKNOWN: frozenset({_N.SUSPENDED}),
        _I.ABANDONED: frozenset({_N.VOID}),
        _I.REFUSED: frozenset({_N.VOID}),
    }
)
"""Which status a number has in which state; recalling a printed one is a decision of people."""
OPEN: Final = frozenset({_I.INTENDED, _I.SEALED, _I.RELEASED})
"""An order in one of these still moves; a session has at most one."""
_STATUS: Final[Mapping[IssueState, NumberStatus]] = MappingProxyType(
    {state: next(iter(statuses - {_N.RECALLED})) for state, statuses in NUMBERS.items()}
)


class IllegalMoveError(ValueError):
    """A state cannot become that one."""


class Reason(StrEnum):
    """Why an order ended as it did, beside the refusals."""

    TIMED_OUT = "timed-out"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    """A clerk's check at the kiosk said no."""
    INTEGRITY = "integrity"
    """The clerk's check at the centre said no."""
    NOT_REPORTED = "not-reported"
    """Released, and no outcome came in time."""


class Finding(StrEnum):
    """What raises an integrity alarm."""

    CLERK_AT_CENTRE = "clerk-at-centre"
    CLERK_AT_KIOSK = "clerk-at-kiosk"
    NUMBER_TWICE = "number-twice"
    CONTRADICTION = "contradiction"
    """An outcome says otherwise than what has been settled."""
    FOREIGN_NUMBER = "foreign-number"
    """An outcome names a number that is not of its order."""
    NO_PROOF = "no-proof"
    """Said to be printed, without any proof: counts as unknown."""
    MONEY_DIFFERS = "money-differs"
    """Taken is not kept plus returned plus owed."""
    RECOVERY_HALTED = "recovery-halted"


@dataclass(frozen=True)
class Issue:
    """One copy in the ledger."""

    place: int
    """1, 2, 3, … within its order."""
    number: str | None
    state: IssueState
    money: MoneyState
    number_status: NumberStatus
    price: int
    """Yen."""
    loss: int = 0
    """Yen that was given back for paper that came out after all."""
    decided: bool = False
    """Settled by two persons: no outcome changes it any more."""

    def moved(self, state: IssueState, money: MoneyState, number: str | None = None) -> "Issue":
        """Return the issue in another state; IllegalMoveError when no arrow leads there."""
        if state is not self.state and state not in ISSUE_MOVES[self.state]:
            raise IllegalMoveError(f"{self.state} does not become {state}")
        if money is not self.money and money not in MONEY_MOVES[self.money]:
            raise IllegalMoveError(f"{self.money} does not become {money}")
        if money not in PAIRS[state]:
            raise IllegalMoveError(f"{state} does not go with {money}")
        status = self.number_status if state is self.state else _STATUS[state]
        given_back = money is _M.NONE and self.money in {_M.OWED, _M.REFUNDED, _M.REPAID}
        return replace(
            self,
            state=state,
            money=money,
            number=number or self.number,
            number_status=status,
            loss=self.price if given_back else self.loss,
        )


def intended(copies: int, price: int) -> tuple[Issue, ...]:
    """Return the issues of a new order."""
    return tuple(
        Issue(place, None, _I.INTENDED, _M.NONE, _N.PENDING, price)
        for place in range(1, copies + 1)
    )


def order_state(issues: Iterable[Issue]) -> IssueState:
    """Return the state of an order: that of the issue about which there is most to be done."""
    states = {issue.state for issue in issues}
    order = (
        _I.INTENDED,
        _I.SEALED,
        _I.RELEASED,
        _I.UNKNOWN,
        _I.SPOILED,
        _I.ABANDONED,
        _I.REFUSED,
        _I.PRINTED,
    )
    return next(state for state in order if state in states)


def order_money(issues: Iterable[Issue]) -> MoneyState:
    """Return the money of an order likewise."""
    states = {issue.money for issue in issues}
    order = (_M.OWED, _M.TAKEN, _M.DUE, _M.REPAID, _M.REFUNDED, _M.KEPT, _M.NONE)
    return next(state for state in order if state in states)


def sealed(issues: Sequence[Issue], numbers: Sequence[str]) -> tuple[Issue, ...]:
    """Give each issue its number; what costs something is now due."""
    return tuple(
        issue.moved(_I.SEALED, _M.DUE if issue.price else _M.NONE, number)
        for issue, number in zip(issues, numbers, strict=True)
    )


def released(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Take the money and let them be printed."""
    return tuple(issue.moved(_I.RELEASED, _M.TAKEN if issue.price else _M.NONE) for issue in issues)


def refused(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """End what a rule said no to."""
    return tuple(issue.moved(_I.REFUSED, issue.money) for issue in issues)


def abandoned(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """End what was never released; what was taken for it is told by the outcome."""
    return tuple(issue.moved(_I.ABANDONED, issue.money) for issue in issues)


def not_reported(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Turn what was released and never reported to unknown; its money is owed back."""
    return tuple(
        issue.moved(_I.UNKNOWN, _M.OWED if issue.money is _M.TAKEN else issue.money)
        if issue.state is _I.RELEASED
        else issue
        for issue in issues
    )


@dataclass(frozen=True)
class Settled:
    """What an outcome makes of an order."""

    issues: tuple[Issue, ...]
    findings: tuple[Finding, ...]
    reason: str | None
    """Why the order ended so, where the outcome says it; None leaves the reason as it is."""


_RESULTS: Final = MappingProxyType(
    {
        PrintResult.PRINTED: _I.PRINTED,
        PrintResult.SPOILED: _I.SPOILED,
        PrintResult.UNKNOWN: _I.UNKNOWN,
    }
)


def settle(issues: Sequence[Issue], outcome: Outcome) -> Settled:
    """Return the books after an outcome; what is settled already is never undone.

    Only an undecided `unknown` may still be settled by an outcome that comes late. A result that
    contradicts what stands is a finding, and so is money that does not add up.
    """
    findings: list[Finding] = []
    if outcome.result is OutcomeResult.REJECTED:
        findings.append(Finding.CLERK_AT_KIOSK)
    wanted = _wanted(issues, outcome, findings)
    states = [_reached(issue, state, findings) for issue, state in zip(issues, wanted, strict=True)]
    moved = _with_money(issues, states, outcome.money, findings)
    return Settled(moved, tuple(dict.fromkeys(findings)), _reason(issues, moved, outcome))


def _reason(before: Sequence[Issue], after: Sequence[Issue], outcome: Outcome) -> str | None:
    if [issue.state for issue in before] == [issue.state for issue in after]:
        return None
    match outcome.result:
        case OutcomeResult.CANCELLED:
            return Reason.CANCELLED.value
        case OutcomeResult.REJECTED:
            return f"{Reason.REJECTED.value}-{outcome.check.value if outcome.check else 'check'}"
        case OutcomeResult.FINISHED:
            return None


def _wanted(
    issues: Sequence[Issue], outcome: Outcome, findings: list[Finding]
) -> list[IssueState | None]:
    """Return the state that an outcome says for each issue; None where it says none."""
    if outcome.result is not OutcomeResult.FINISHED:
        # Nothing was printed: what had been released is void, what had not is abandoned.
        return [
            _I.ABANDONED if issue.state in {_I.INTENDED, _I.SEALED} else _I.SPOILED
            for issue in issues
        ]
    said: dict[str, IssueOutcome] = {}
    for part in outcome.issues:
        if part.number in said and said[part.number].result is not part.result:
            findings.append(Finding.CONTRADICTION)
        said.setdefault(part.number, part)
    if set(said) - {issue.number for issue in issues}:
        findings.append(Finding.FOREIGN_NUMBER)
    wanted: list[IssueState | None] = []
    for issue in issues:
        one = said.get(issue.number or "")
        if one is None:
            wanted.append(_I.UNKNOWN if issue.state is _I.RELEASED else None)
        elif one.result is PrintResult.PRINTED and one.proof is ProofStrength.NONE:
            findings.append(Finding.NO_PROOF)
            wanted.append(_I.UNKNOWN)
        else:
            wanted.append(_RESULTS[one.result])
    return wanted


def _reached(issue: Issue, wanted: IssueState | None, findings: list[Finding]) -> IssueState:
    """Return the state that the issue takes; a contradiction is a finding and changes nothing."""
    if wanted is None or wanted is issue.state:
        return issue.state
    if not issue.decided and wanted in ISSUE_MOVES[issue.state]:
        return wanted
    if wanted is _I.UNKNOWN and issue.state in {_I.PRINTED, _I.SPOILED}:
        return issue.state  # an outcome that knows less than we do contradicts nothing
    if wanted is _I.SPOILED and issue.state in {_I.ABANDONED, _I.REFUSED}:
        return issue.state  # both say: no paper
    findings.append(Finding.CONTRADICTION)
    return issue.state


def _with_money(
    issues: Sequence[Issue],
    states: Sequence[IssueState],
    fact: MoneyFact,
    findings: list[Finding],
) -> tuple[Issue, ...]:
    kept = 0
    returned = fact.returned
    moved: list[Issue] = []
    for issue, state in zip(issues, states, strict=True):
        if state is _I.PRINTED:
            moved.append(_printed(issue))
            kept += issue.price if moved[-1].money is _M.KEPT else 0
        elif state in {_I.SPOILED, _I.UNKNOWN, _I.ABANDONED, _I.REFUSED}:
            back = 0 < issue.price <= returned
            returned -= issue.price if back else 0
            moved.append(_unprinted(issue, state, fact, back=back))
        else:
            moved.append(issue)
    if fact.taken != kept + fact.returned + fact.owed:
        findings.append(Finding.MONEY_DIFFERS)
    return tuple(moved)


def _printed(issue: Issue) -> Issue:
    if issue.state is _I.PRINTED:
        return issue
    if issue.price == 0:
        return issue.moved(_I.PRINTED, _M.NONE)
    if issue.money in {_M.TAKEN, _M.OWED}:
        return issue.moved(_I.PRINTED, _M.KEPT)
    return issue.moved(_I.PRINTED, _M.NONE)


def _unprinted(issue: Issue, state: IssueState, fact: MoneyFact, *, back: bool) -> Issue:
    """Give back what was taken for paper that did not come; what did not come back is owed."""
    if issue.money is _M.TAKEN:
        return issue.moved(state, _M.REFUNDED if back else _M.OWED)
    if issue.money is _M.DUE and fact.taken and state is not _I.REFUSED:
        return issue.moved(state, _M.REFUNDED if back else _M.OWED)
    if issue.money is _M.OWED and back:
        return issue.moved(state, _M.REFUNDED)
    return issue.moved(state, issue.money)


RELEASE_REFUSALS: Final = frozenset(
    {
        Refusal.CHANGED,
        Refusal.STOPPED,
        Refusal.KIND_CLOSED,
        Refusal.NOT_PARTICIPATING,
        Refusal.NOT_YET_PARTICIPATING,
        Refusal.UNAVAILABLE,
        Refusal.COUNTER,
    }
)
"""What a release may be refused with; whatever else the issuing server says is COUNTER."""
