from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from backend.participation.model import Change, ahead, offer_at, since, undo_of
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.refusals import Refusal

START = datetime(2017, 1, 1, tzinfo=UTC)


def on_day(day: int) -> datetime:
    return START + timedelta(days=day)


def decided(day: int, *, is_open: bool, fee: int = 200, sequence: int = 0) -> Change:
    return Change(
        Kind.RESIDENCE_CERTIFICATE,
        open=is_open,
        effective_from=on_day(day),
        fee=fee,
        sequence=sequence or day,
    )


LINES = st.lists(
    st.tuples(st.integers(0, 12), st.booleans(), st.sampled_from([200, 300])), max_size=8
).map(
    lambda rows: [
        decided(day, is_open=is_open, fee=fee, sequence=number)
        for number, (day, is_open, fee) in enumerate(rows, start=1)
    ]
)


def state_on(changes: list[Change], day: int) -> Change | None:
    """Look at each day by itself: of what has begun by then, the latest; of one day the last."""
    best = None
    for change in changes:
        if change.effective_from > on_day(day):
            continue
        if best is None or change.effective_from >= best.effective_from:
            best = change
    return best


@given(LINES, st.integers(-1, 13))
def test_an_offer_agrees_with_walking_through_every_day(changes: list[Change], day: int) -> None:
    offer = offer_at(changes, on_day(day))
    days = {walked: state_on(changes, walked) for walked in range(-1, 14)}
    today = days[day]
    assert offer.open == bool(today and today.open)
    if offer.open:
        assert (offer.reason, offer.opens_at) == (None, None)
        assert today is not None
        assert offer.fee == today.fee
        return
    opening = next((d for d in range(day + 1, 14) if (state := days[d]) and state.open), None)
    was_on = any(state.open for d, state in days.items() if d <= day and state)
    assert offer.opens_at == (None if opening is None else on_day(opening))
    if was_on:
        assert offer.reason is Refusal.KIND_CLOSED
    elif opening is not None:
        assert offer.reason is Refusal.NOT_YET_PARTICIPATING
    else:
        assert offer.reason is Refusal.NOT_PARTICIPATING
    if opening is not None:
        state = days[opening]
        assert state is not None
        assert offer.fee == state.fee


@given(LINES, st.permutations(range(8)), st.integers(-1, 13))
def test_the_order_in_which_changes_are_listed_does_not_matter(
    changes: list[Change], order: list[int], day: int
) -> None:
    shuffled = [changes[place] for place in order if place < len(changes)]
    assert offer_at(shuffled, on_day(day)) == offer_at(changes, on_day(day))


@given(LINES, st.integers(0, 12))
def test_undoing_the_last_change_gives_every_later_day_back(
    changes: list[Change], day: int
) -> None:
    now = on_day(day)
    wish = undo_of(changes, now)
    if wish is None:
        assert not changes
        return
    undoing = Change(
        Kind.RESIDENCE_CERTIFICATE,
        open=wish.open,
        effective_from=wish.effective_from,
        fee=wish.fee,
        sequence=len(changes) + 1,
    )
    assert wish.effective_from >= now
    for later in range(day, 14):
        after = offer_at([*changes, undoing], on_day(later))
        before = offer_at(changes[:-1], on_day(later))
        assert after.open == before.open
        if after.open:
            assert after.fee == before.fee


@given(LINES, st.integers(-1, 13))
def test_what_lies_ahead_is_what_will_differ(changes: list[Change], day: int) -> None:
    for change in ahead(changes, on_day(day)):
        eve = change.effective_from - timedelta(seconds=1)
        assert change.effective_from > on_day(day)
        before, after = offer_at(changes, eve), offer_at(changes, change.effective_from)
        assert (before.open, before.fee) != (after.open, after.fee)


def test_it_has_been_open_since_it_opened_whatever_else_was_said_again() -> None:
    line = [decided(1, is_open=True), decided(5, is_open=True), decided(9, is_open=True, fee=300)]
    assert since(line, on_day(7)) == on_day(1)
    assert since(line, on_day(9)) == on_day(9)
    assert since(line, on_day(0)) is None


def test_an_opening_taken_back_for_the_same_moment_never_was() -> None:
    line = [decided(5, is_open=True, sequence=1), decided(5, is_open=False, sequence=2)]
    assert offer_at(line, on_day(2)).reason is Refusal.NOT_PARTICIPATING
    assert offer_at(line, on_day(6)).reason is Refusal.NOT_PARTICIPATING
    assert ahead(line, on_day(2)) == ()


def test_switched_off_it_says_when_it_opens_again() -> None:
    line = [decided(1, is_open=True), decided(3, is_open=False), decided(8, is_open=True, fee=300)]
    offer = offer_at(line, on_day(4))
    assert (offer.reason, offer.opens_at, offer.fee) == (Refusal.KIND_CLOSED, on_day(8), 300)
