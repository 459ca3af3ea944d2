"""Puts the kiosk with a screen together: journey, page and heartbeat in one process."""

import signal
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from threading import Event, Thread

from dedicated_line.clock import SystemClock, SystemEntropy
from dedicated_line.errors import UsageError, record_incident
from dedicated_line.kiosk_end.client import LineClient
from kiosk import bootstrap
from kiosk.journal.settle import Settled
from kiosk.session.driver import Driver, QueuedTouches
from kiosk.settings import KioskSettings
from kiosk.web.app import ASSETS, ScreenParts, create_app
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


def page_files(settings: KioskSettings) -> Path:
    """Return the folder of npm packages: the one set, or the one beside this package.

    Raises:
        UsageError: the packages that the page needs are in neither.
    """
    beside = Path(__file__).parents[2] / "node_modules"
    for folder in (settings.node_modules, beside):
        if all((folder / package).is_dir() for package in ASSETS.values()):
            return folder
    raise UsageError(
        f"{settings.node_modules} lacks the page's fonts and colours; run 'npm ci', "
        "or set KOFU_NODE_MODULES"
    )


def run_screen(kiosk: str, settings: KioskSettings) -> None:
    """Run a kiosk with its screen until SIGTERM or SIGINT; what is open is closed first.

    Raises:
        UsageError: the kiosk is not enrolled or runs already, the page's files are missing, or a
            simulated part is in production.
        PortTakenError: another process listens on the screen's port.
    """
    files = page_files(settings)
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
        driver = Driver(
            ports, touches, _StepTrace(), between=lambda: _say_settled(bootstrap.settle(ports))
        )
        screen = DrivenScreen(driver, touches)
        app = create_app(
            ScreenParts(
                screen=screen,
                port=settings.kiosk_port,
                node_modules=files,
                entropy=SystemEntropy(),
                incident=lambda: record_incident(settings.log, "kofu-kiosk run"),
                coin_slot=coins,
                hand=bootstrap.hand(reader, settings),
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
