"""What happens at the same time, with real threads and real row locks (PostgreSQL)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier, Event
from typing import Any

import pytest

from backend.database import transaction
from backend.orders.errors import OrderError, OrderRefusedError, WrongStateError
from backend.orders.recovery import Limits, recover
from backend.orders.service import latest_orders
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.states import IssueState, PrintResult

World = Any
pytestmark = pytest.mark.sockets
SECONDS = 20


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Run all of them at the same time; return what each returned or raised."""
    gate = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        gate.wait(SECONDS)
        try:
            return act()
        except OrderError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_one_key_sent_eight_times_at_once_is_one_order(busy_world: World) -> None:
    wish = busy_world.wish()
    answers = at_once(*[lambda: busy_world.place(wish, key="the-same-key-again")] * 8)
    assert len({str(answer) for answer in answers}) == 1
    with transaction(busy_world.engine) as connection:
        assert len(latest_orders(connection, 10)) == 1


def test_two_orders_of_one_session_at_once_leave_one_open(busy_world: World) -> None:
    answers = at_once(*[busy_world.place] * 4)
    assert sum(isinstance(answer, WrongStateError) for answer in answers) == 3


def test_one_release_sent_at_once_is_released_once(busy_world: World) -> None:
    sealed = busy_world.place()
    same = at_once(*[lambda: busy_world.release(sealed.order, key="the-same-key-again")] * 6)
    assert len({str(answer) for answer in same}) == 1
    assert busy_world.order(sealed.order).fence == 1


def test_two_releases_with_different_keys_have_one_winner(busy_world: World) -> None:
    sealed = busy_world.place()
    answers = at_once(*[lambda: busy_world.release(sealed.order)] * 4)
    assert sum(isinstance(answer, WrongStateError) for answer in answers) == 3
    assert busy_world.order(sealed.order).fence == 1


def test_a_stop_waits_for_a_release_that_was_first(busy_world: World) -> None:
    sealed = busy_world.place()
    inside, done = Event(), Event()

    def confirming() -> None:
        inside.set()
        assert not done.wait(0.3)  # the stop cannot commit while the release holds the row

    busy_world.issuer.before_confirm = confirming

    def stop() -> None:
        assert inside.wait(SECONDS)
        busy_world.switch(open=False)
        done.set()

    at_once(lambda: busy_world.release(sealed.order), stop)
    assert done.is_set()
    assert busy_world.order(sealed.order).issues[0].state is IssueState.RELEASED


def test_a_release_that_comes_second_sees_the_stop(busy_world: World) -> None:
    sealed = busy_world.place()
    busy_world.switch(open=False)
    with pytest.raises(OrderRefusedError) as caught:
        busy_world.release(sealed.order)
    assert caught.value.refusal is Refusal.KIND_CLOSED


def test_recovery_and_an_outcome_at_once_end_in_one_of_both(busy_world: World) -> None:
    sealed = busy_world.place()
    busy_world.release(sealed.order)
    outcome = busy_world.finished(sealed.order, PrintResult.PRINTED, money=(300, 0, 0))
    busy_world.clock.move(seconds=1000)
    limits = Limits(order_timeout=timedelta(seconds=1))
    now = busy_world.clock.real_now()
    at_once(lambda: busy_world.tell(outcome), lambda: recover(busy_world.engine, now, limits))
    (issue,) = busy_world.order(sealed.order).issues
    assert (issue.state.value, issue.money.value) == ("printed", "kept")
