"""Puts the kiosk with a screen together: journey, page and heartbeat in one process."""

import signal
import sys
from contextlib import closing
from dataclasses import replace
from threading import Event, Thread

from dedicated_line.clock import SystemClock, SystemEntropy
from dedicated_line.errors import record_incident
from dedicated_line.kiosk_end.client import LineClient
from kiosk import bootstrap
from kiosk.journal.settle import Settled
from kiosk.session.driver import Driver, QueuedTouches
from kiosk.settings import KioskSettings
from kiosk.web.app import ScreenParts, create_app
from kiosk.web.heartbeat import Pulse, SharedPrinter, heartbeat
from kiosk.web.screen import DrivenScreen
from kiosk.web.server import listen, serving


class _StepTrace:
    """Writes one line for each thing done and how long it took; never anything of a resident."""

    def done(self, what: str, seconds: float, detail: str) -> None:
        """Write the line."""
        _say(f"{what}: {seconds * 1000:.0f} ms{f' ({detail})' if detail else ''}")


def _say(line: str) -> None:
    now = SystemClock().real_now().isoformat(timespec="milliseconds")
    sys.stderr.write(f"{now} kofu-kiosk run: {line}\n")
    sys.stderr.flush()


def _say_settled(settled: Settled) -> None:
    if settled.told or settled.waiting or settled.given_back:
        _say(
            f"of an earlier run: {len(settled.told)} orders closed, {len(settled.waiting)} not yet "
            f"told to the centre, {settled.given_back} yen given back"
        )


def run_screen(kiosk: str, settings: KioskSettings) -> None:
    """Run a kiosk with its screen until SIGTERM or SIGINT; what is open is closed first.

    Raises:
        UsageError: the kiosk is not enrolled, runs already, or a simulated part is in production.
        PortTakenError: another process listens on the screen's port.
    """
    coins = bootstrap.coin_unit(kiosk, settings, resident_pays=False)
    reader = bootstrap.reader(kiosk, settings)
    stop = Event()
    with (
        listen(settings.kiosk_port) as listener,
        bootstrap.ports(kiosk, settings, reader, coins) as made,
    ):
        printer = SharedPrinter(made.printer)
        ports = replace(made, printer=printer)
        _say_settled(bootstrap.settle(ports))
        touches = QueuedTouches()
        driver = Driver(ports, touches, _StepTrace())
        screen = DrivenScreen(driver, touches)
        app = create_app(
            ScreenParts(
                screen=screen,
                port=settings.kiosk_port,
                node_modules=settings.node_modules,
                entropy=SystemEntropy(),
                incident=lambda: record_incident(settings.log, "kofu-kiosk run"),
                coin_slot=coins,
                simulation=settings.simulation,
            )
        )
        folder = settings.folder(kiosk)
        line = LineClient(
            settings.address(kiosk),
            settings.wire_port,
            folder / "line.pem",
            folder / "line.key",
            folder / "line-ca.pem",
            ports.clock,
        )
        pulse = Pulse(
            line,
            lambda: heartbeat(
                ports.identity.software, driver.session.stage, reader, printer, coins
            ),
            _say,
            ports.incident,
        )
        beating = Thread(target=pulse.run, args=(stop,), name="heartbeat", daemon=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: driver.shut_down())
        with closing(line), serving(app, listener):
            beating.start()
            sys.stdout.write(f"kofu-kiosk run ready on http://127.0.0.1:{settings.kiosk_port}/\n")
            sys.stdout.flush()
            try:
                driver.run()
            finally:
                stop.set()
                screen.close()
