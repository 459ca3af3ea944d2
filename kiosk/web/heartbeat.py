"""The kiosk's heartbeat: how its parts are, every few seconds, over the line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import Final

from dedicated_line.contract.line import HEARTBEAT_SECONDS, Health, Heartbeat, PartHealth
from dedicated_line.errors import KofuError
from dedicated_line.kiosk_end.client import LineLostError
from kiosk.cards.reader import Reader
from kiosk.centre.client import Line
from kiosk.coins.unit import CoinUnit
from kiosk.session.ports import OpenPrinter, Printer
from printers.escpos.model import Paper

PATH: Final = "/v1/heartbeat"
BEAT_SECONDS: Final = 4.0
"""For one heartbeat to arrive: the next one is not far."""
DETAIL_LENGTH: Final = 100
_GOOD: Final = range(200, 300)
_PAPER: Final = {
    Paper.PLENTY: PartHealth(health=Health.READY),
    Paper.NEAR_END: PartHealth(health=Health.WARNING, detail="paper near its end"),
    Paper.END: PartHealth(health=Health.DOWN, detail="paper out"),
}
_NOT_ASKED: Final = PartHealth(health=Health.WARNING, detail="not asked yet")


class SharedPrinter:
    """A printer that takes one connection at a time, shared by journey and heartbeat."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._lock = Lock()
        self._known = (_NOT_ASKED, _NOT_ASKED)

    @contextmanager
    def __call__(self) -> Iterator[OpenPrinter]:
        """Open the printer once nobody else has it."""
        with self._lock, self._printer() as opened:
            yield opened

    def health(self) -> tuple[PartHealth, PartHealth]:
        """Return how printer and paper are; while a journey has the printer, as they last were."""
        if not self._lock.acquire(blocking=False):
            return self._known
        try:
            self._known = _ask(self._printer)
        finally:
            self._lock.release()
        return self._known


def _ask(printer: Printer) -> tuple[PartHealth, PartHealth]:
    try:
        with printer() as opened:
            state = opened.state()
    except KofuError as error:
        down = _down(error)
        return down, PartHealth(health=Health.WARNING, detail="not known")
    health = PartHealth(health=state.health, detail=state.detail[:DETAIL_LENGTH])
    return health, _PAPER.get(state.paper, PartHealth(health=Health.WARNING, detail="not known"))


def _down(error: KofuError) -> PartHealth:
    return PartHealth(health=Health.DOWN, detail=str(error)[:DETAIL_LENGTH])


def _checked(check: Callable[[], None]) -> PartHealth:
    try:
        check()
    except KofuError as error:
        return _down(error)
    return PartHealth(health=Health.READY)


class Pulse:
    """Sends heartbeats until stopped; a lost line is said once, and once more when it is back."""

    def __init__(
        self,
        line: Line,
        beat: Callable[[], Heartbeat],
        say: Callable[[str], None],
        incident: Callable[[], str],
    ) -> None:
        self._line = line
        self._beat = beat
        self._say = say
        self._incident = incident
        self._trouble = ""

    def run(self, stop: Event) -> None:
        """Send one now and then every `HEARTBEAT_SECONDS`."""
        while True:
            self._note(self._once())
            if stop.wait(HEARTBEAT_SECONDS):
                return

    def _once(self) -> str:
        """Send one; return what is wrong in a sentence, or nothing."""
        try:
            body = self._beat().to_json()
            headers = {"Content-Type": "application/json"}
            answer = self._line.request("POST", PATH, body, headers, BEAT_SECONDS)
        except LineLostError as error:
            return f"heartbeats do not arrive: {error}"
        except Exception as error:  # noqa: BLE001 - an incident; the pulse goes on
            return (
                self._trouble
                or f"heartbeats fail with {type(error).__name__}, incident {self._incident()}"
            )
        if answer.status not in _GOOD:
            return f"heartbeats are refused with status {answer.status}"
        return ""

    def _note(self, trouble: str) -> None:
        if trouble and not self._trouble:
            self._say(trouble)
        if self._trouble and not trouble:
            self._say("heartbeats arrive again")
        self._trouble = trouble


def heartbeat(
    software: str, state: str, reader: Reader, printer: SharedPrinter, coins: CoinUnit
) -> Heartbeat:
    """Return how all parts are now; nothing of a resident."""
    printer_health, paper = printer.health()
    return Heartbeat(
        software=software,
        reader=_checked(reader.check),
        printer=printer_health,
        coins=_checked(coins.check),
        paper=paper,
        state=state,
    )
