"""The books: whatever events come in whatever order, certain things never happen."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.orders.model import (
    ISSUE_MOVES,
    NUMBERS,
    PAIRS,
    IllegalMoveError,
    Issue,
    abandoned,
    intended,
    not_reported,
    order_state,
    refused,
    released,
    sealed,
    settle,
)
from dedicated_line.contract.numbers import issue_number
from dedicated_line.contract.orders import (
    Check,
    IssueOutcome,
    MoneyFact,
    Outcome,
    OutcomeResult,
)
from dedicated_line.contract.states import (
    IssueState,
    MoneyState,
    NumberStatus,
    PrintResult,
    ProofStrength,
)

FINAL = {
    IssueState.PRINTED: {MoneyState.KEPT, MoneyState.NONE},
    IssueState.SPOILED: {
        MoneyState.REFUNDED,
        MoneyState.OWED,
        MoneyState.REPAID,
        MoneyState.NONE,
    },
    IssueState.ABANDONED: {
        MoneyState.DUE,
        MoneyState.REFUNDED,
        MoneyState.OWED,
        MoneyState.REPAID,
        MoneyState.NONE,
    },
    IssueState.REFUSED: {MoneyState.DUE, MoneyState.NONE},
}
"""As the design has them; a free issue has no money in any state."""
NUMBER = [issue_number("352012", bits) for bits in range(1, 5)]
Books = tuple[Issue, ...]


def outcomes(copies: int) -> st.SearchStrategy[Outcome]:
    parts = st.builds(
        IssueOutcome,
        number=st.sampled_from(NUMBER[: copies + 1]),
        result=st.sampled_from(PrintResult),
        proof=st.sampled_from(ProofStrength),
    )
    amounts = st.sampled_from([0, 300, 600, 900, 7])
    return st.builds(
        Outcome,
        order=st.just("0" * 32),
        result=st.sampled_from(OutcomeResult),
        issues=st.lists(parts, max_size=copies + 1).map(tuple),
        check=st.none() | st.sampled_from(Check),
        money=st.builds(MoneyFact, taken=amounts, returned=amounts, owed=amounts),
    )


def step(books: Books, event: str | Outcome) -> Books:
    """Apply an event as the services do: only where it may move the order."""
    if isinstance(event, Outcome):
        return settle(books, event).issues
    moves: dict[str, tuple[set[IssueState], Callable[[Books], Books]]] = {
        "seal": ({IssueState.INTENDED}, lambda b: sealed(b, NUMBER[: len(b)])),
        "refuse": ({IssueState.INTENDED}, refused),
        "release": ({IssueState.SEALED}, released),
        "change": ({IssueState.SEALED}, abandoned),
        "time out": ({IssueState.INTENDED, IssueState.SEALED}, abandoned),
        "not reported": ({IssueState.RELEASED}, not_reported),
    }
    sources, move = moves[event]
    return move(books) if order_state(books) in sources else books


@given(st.data(), st.integers(1, 3), st.sampled_from([0, 300]))
def test_no_sequence_of_events_breaks_the_books(data: st.DataObject, copies: int, fee: int) -> None:
    named = st.sampled_from(["seal", "refuse", "release", "change", "time out", "not reported"])
    events = data.draw(st.lists(named | outcomes(copies), max_size=12))
    books = intended(copies, fee)
    settled_once: dict[int, IssueState] = {}
    was_released = False
    for event in ["seal", "release", *events] if data.draw(st.booleans()) else events:
        before = books
        books = step(books, event)
        was_released = was_released or order_state(books) is IssueState.RELEASED
        for old, new in zip(before, books, strict=True):
            assert new.state is old.state or new.state in ISSUE_MOVES[old.state]
            assert new.money in PAIRS[new.state]
            assert new.number_status in NUMBERS[new.state]
            assert old.number in {None, new.number}
            if new.state in FINAL:
                assert new.money in FINAL[new.state]
            if new.money is MoneyState.KEPT:
                assert new.state is IssueState.PRINTED
            if new.state is IssueState.PRINTED:
                assert was_released
                assert new.number_status is NumberStatus.VALID
            if fee == 0:
                assert new.money is MoneyState.NONE
            if new.place in settled_once:
                assert new.state is settled_once[new.place]  # settled once, settled for ever
            if new.state in FINAL:
                settled_once[new.place] = new.state


@given(outcomes(2))
def test_the_same_outcome_twice_changes_nothing_the_second_time(outcome: Outcome) -> None:
    books = released(sealed(intended(2, 300), NUMBER[:2]))
    once = settle(books, outcome).issues
    twice = settle(once, outcome)
    assert [issue.state for issue in twice.issues] == [issue.state for issue in once]


def test_a_late_outcome_settles_what_was_unknown() -> None:
    books = not_reported(released(sealed(intended(1, 300), NUMBER[:1])))
    assert (books[0].state, books[0].money) == (IssueState.UNKNOWN, MoneyState.OWED)
    outcome = Outcome(
        order="0" * 32,
        result=OutcomeResult.FINISHED,
        issues=(
            IssueOutcome(
                number=NUMBER[0], result=PrintResult.PRINTED, proof=ProofStrength.PROCESS_ID
            ),
        ),
        money=MoneyFact(taken=300, returned=0, owed=0),
    )
    settled = settle(books, outcome)
    assert (settled.issues[0].state, settled.issues[0].money) == (
        IssueState.PRINTED,
        MoneyState.KEPT,
    )
    assert settled.findings == ()


def test_paper_that_came_out_after_the_money_went_back_is_a_recorded_loss() -> None:
    books = released(sealed(intended(1, 300), NUMBER[:1]))
    unknown = books[0].moved(IssueState.UNKNOWN, MoneyState.REFUNDED)
    printed = unknown.moved(IssueState.PRINTED, MoneyState.NONE)
    assert (printed.money, printed.loss) == (MoneyState.NONE, 300)


def test_what_two_persons_decided_is_not_changed_by_an_outcome() -> None:
    issue = Issue(
        place=1,
        number=NUMBER[0],
        state=IssueState.UNKNOWN,
        money=MoneyState.OWED,
        number_status=NumberStatus.SUSPENDED,
        price=300,
        decided=True,
    )
    outcome = Outcome(
        order="0" * 32,
        result=OutcomeResult.FINISHED,
        issues=(
            IssueOutcome(
                number=NUMBER[0], result=PrintResult.PRINTED, proof=ProofStrength.PROCESS_ID
            ),
        ),
        money=MoneyFact(taken=300, returned=0, owed=0),
    )
    settled = settle((issue,), outcome)
    assert settled.issues[0].state is IssueState.UNKNOWN
    assert settled.findings


def test_an_arrow_that_is_not_drawn_cannot_be_taken() -> None:
    (issue,) = intended(1, 300)
    with pytest.raises(IllegalMoveError):
        issue.moved(IssueState.PRINTED, MoneyState.NONE)
    with pytest.raises(IllegalMoveError):
        issue.moved(IssueState.SEALED, MoneyState.KEPT)
