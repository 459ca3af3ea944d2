"""While nobody is there, the kiosk looks after what it could not tell the centre before."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from dedicated_line.clock import FixedClock
from kiosk.session import events as on
from kiosk.session.driver import BETWEEN_SECONDS, Driver
from kiosk.session.ports import Ports
from kiosk.session.state import Session


@dataclass
class Nobody:
    """A shop at night: every look at the screen lasts ten seconds."""

    clock: FixedClock
    looks: int = 0

    def next(self, _session: Session, _seconds: float) -> on.Event | None:
        self.looks += 1
        self.clock.move(seconds=10)
        return None


@dataclass
class Books:
    at: list[float] = field(default_factory=list)


def test_unfinished_business_is_taken_up_again_and_again_while_nobody_is_there() -> None:
    clock = FixedClock(datetime(2026, 6, 15, 3, tzinfo=UTC))
    nobody, books = Nobody(clock), Books()
    ports = cast("Ports", SimpleNamespace(clock=clock, drawing=None))
    driver = Driver(
        ports, nobody, cast("Any", None), between=lambda: books.at.append(clock.monotonic())
    )
    driver._hands = cast("Any", SimpleNamespace(prepare=lambda: None, forget=lambda: None))
    driver.run(until=lambda _session: nobody.looks >= 12)
    assert [round(at) for at in books.at] == [BETWEEN_SECONDS * count for count in (1, 2, 3, 4)]
