"""Heartbeats, and the printer that journey and heartbeat share."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Any

from dedicated_line.contract.line import HEARTBEAT_SECONDS, Health, Heartbeat
from dedicated_line.errors import KofuError
from dedicated_line.kiosk_end.client import LineAnswer, LineLoss, LineLostError
from kiosk.coins.unit import CoinFaultError
from kiosk.simulated.reader import SimulatedReader
from kiosk.web.heartbeat import Pulse, SharedPrinter, heartbeat
from printers.escpos.model import Paper, PrinterState


class FakePrinter:
    """Answers one state, or nothing at all."""

    def __init__(self, paper: Paper | None) -> None:
        self.paper, self.asked = paper, 0

    @contextmanager
    def __call__(self) -> Iterator[Any]:
        if self.paper is None:
            raise KofuError("no printer answers")
        yield self

    def state(self) -> PrinterState:
        self.asked += 1
        assert self.paper is not None
        ready = self.paper is not Paper.END
        health = Health.READY if ready else Health.DOWN
        return PrinterState(ready=ready, health=health, detail="", paper=self.paper)


class FakeCoins:
    """Jammed or not."""

    jammed = False

    def check(self) -> None:
        if self.jammed:
            raise CoinFaultError("the coin unit is jammed")


class FakeLine:
    """Takes note of what is sent; stops the pulse when its script is at an end."""

    def __init__(self, script: list[int | None], stop: Event) -> None:
        self.script, self.stop = script, stop
        self.bodies: list[bytes] = []

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 10.0,
    ) -> LineAnswer:
        assert (method, path) == ("POST", "/v1/heartbeat")
        assert headers == {"Content-Type": "application/json"}
        assert seconds < HEARTBEAT_SECONDS
        self.bodies.append(body or b"")
        status = self.script.pop(0)
        if not self.script:
            self.stop.set()
        if status is None:
            raise LineLostError(next(iter(LineLoss)))
        return LineAnswer(status, {}, b"")


class Hurried(Event):
    """Does not wait between two beats."""

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout == HEARTBEAT_SECONDS
        return self.is_set()


def beat(printer: FakePrinter, coins: FakeCoins | None = None) -> Heartbeat:
    shared = SharedPrinter(printer)
    own: Any = coins or FakeCoins()
    return heartbeat("kofu 1", "start", SimulatedReader(), shared, own)


def test_a_heartbeat_says_how_every_part_is() -> None:
    well = beat(FakePrinter(Paper.PLENTY))
    parts = (well.reader, well.printer, well.coins, well.paper)
    assert all(part.health is Health.READY for part in parts)
    assert beat(FakePrinter(Paper.NEAR_END)).paper.health is Health.WARNING
    assert beat(FakePrinter(Paper.END)).paper.health is Health.DOWN
    silent = beat(FakePrinter(None))
    assert (silent.printer.health, silent.printer.detail) == (Health.DOWN, "no printer answers")
    assert silent.paper.health is Health.WARNING
    jammed = FakeCoins()
    jammed.jammed = True
    assert beat(FakePrinter(Paper.PLENTY), jammed).coins.health is Health.DOWN


def test_a_printer_that_prints_is_not_disturbed_by_a_heartbeat() -> None:
    printer = FakePrinter(Paper.PLENTY)
    shared = SharedPrinter(printer)
    known = shared.health()
    with shared():
        assert shared.health() == known
    assert printer.asked == 1
    assert shared.health() == known
    assert printer.asked == 2


def test_a_lost_line_is_said_once_and_the_pulse_goes_on() -> None:
    said: list[str] = []
    stop = Hurried()
    line = FakeLine([204, None, None, 403, 204, 204], stop)
    well = beat(FakePrinter(Paper.PLENTY))
    Pulse(line, lambda: well, said.append, lambda: "incident-1").run(stop)
    assert len(line.bodies) == 6
    assert Heartbeat.model_validate_json(line.bodies[0]) == well
    assert len(said) == 2
    assert "do not arrive" in said[0]
    assert "again" in said[1]


def test_an_unexpected_error_is_one_incident_and_the_pulse_goes_on() -> None:
    said: list[str] = []
    incidents: list[str] = []
    stop = Hurried()
    count = 0

    def failing() -> Heartbeat:
        nonlocal count
        count += 1
        if count == 3:
            stop.set()
        raise RuntimeError("no words about a resident")

    def incident() -> str:
        incidents.append("incident-1")
        return "incident-1"

    Pulse(FakeLine([], stop), failing, said.append, incident).run(stop)
    assert count == 3
    assert incidents == ["incident-1"]
    assert said == ["heartbeats fail with RuntimeError, incident incident-1"]
