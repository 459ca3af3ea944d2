"""Nothing rests: what stopped moving is ended, one by one, and never many at once."""

from datetime import timedelta
from typing import Any

import pytest

from backend.database import transaction
from backend.orders.errors import OrderRefusedError
from backend.orders.model import Finding
from backend.orders.recovery import Limits, Recovered, recover
from backend.orders.service import integrity_alarms
from dedicated_line.contract.states import PrintResult

World = Any
LIMITS = Limits(order_timeout=timedelta(seconds=100), window_margin=timedelta(seconds=30))


def state(world: World, order: str) -> tuple[str, str, str]:
    (issue,) = world.order(order).issues
    return issue.state.value, issue.money.value, issue.number_status.value


def run(world: World) -> Recovered:
    return recover(world.engine, world.clock.real_now(), LIMITS)


def test_a_sealed_order_that_nobody_releases_is_abandoned(world: World) -> None:
    sealed = world.place()
    world.clock.move(seconds=99)
    assert run(world).quiet
    world.clock.move(seconds=2)
    assert run(world).abandoned == (sealed.order,)
    assert state(world, sealed.order) == ("abandoned", "due", "void")
    assert world.order(sealed.order).ciphertext is None
    assert world.order(sealed.order).reason == "timed-out"
    assert run(world).quiet


def test_an_order_whose_worker_was_killed_is_abandoned(world: World) -> None:
    class KilledError(Exception):
        pass

    def killed() -> None:
        raise KilledError

    world.issuer.before_answer = killed
    with pytest.raises(KilledError):
        world.place()
    world.clock.move(seconds=101)
    (order,) = run(world).abandoned
    assert state(world, order) == ("abandoned", "none", "void")


def test_a_released_order_turns_to_unknown_only_after_window_and_margin(world: World) -> None:
    sealed = world.place()
    world.release(sealed.order)
    world.clock.move(seconds=61)
    assert run(world).quiet
    assert world.order(sealed.order).ciphertext is None  # nobody may print it any more
    world.clock.move(seconds=30)
    assert run(world).unknown == (sealed.order,)
    assert state(world, sealed.order) == ("unknown", "owed", "suspended")


def test_an_outcome_that_comes_after_recovery_settles_the_order(world: World) -> None:
    sealed = world.place()
    world.release(sealed.order)
    world.clock.move(seconds=1000)
    run(world)
    world.tell(world.finished(sealed.order, PrintResult.PRINTED, money=(300, 0, 0)))
    assert state(world, sealed.order) == ("printed", "kept", "valid")


def test_money_of_an_abandoned_order_is_told_by_a_late_outcome(world: World) -> None:
    sealed = world.place()
    world.clock.move(seconds=1000)
    run(world)
    world.tell(world.cancelled(sealed.order, money=(300, 300, 0)))
    assert state(world, sealed.order) == ("abandoned", "refunded", "void")


def test_many_at_once_halt_recovery_and_raise_one_alarm(world: World) -> None:
    for number in range(4):
        asker = world.new_session(f"{number:032x}")
        world.place(world.wish(session=asker.session), asker=asker)
    world.clock.move(days=1)
    limits = Limits(order_timeout=timedelta(seconds=100), most_at_once=3)
    for _ in range(2):
        assert recover(world.engine, world.clock.real_now(), limits) == Recovered(halted=4)
    with transaction(world.engine) as connection:
        found = [alarm.finding for alarm in integrity_alarms(connection, 9)]
    assert found == [Finding.RECOVERY_HALTED]
    limits = Limits(order_timeout=timedelta(seconds=100), most_at_once=4)
    assert len(recover(world.engine, world.clock.real_now(), limits).abandoned) == 4


def test_a_refused_order_is_left_alone(world: World) -> None:
    world.issuer.is_down = True
    with pytest.raises(OrderRefusedError):
        world.place()
    world.clock.move(days=1)
    assert run(world).quiet
