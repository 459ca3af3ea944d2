"""The one place where the line's processes are put together from their settings."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import uvloop

from dedicated_line.centre_end.process import CentreEnd
from dedicated_line.centre_end.server import server_context
from dedicated_line.clock import SystemClock, SystemEntropy
from dedicated_line.enrolment.service import Enrolment
from dedicated_line.errors import UsageError, record_incident
from dedicated_line.line_settings import LineSettings
from dedicated_line.simulated.process import SimulatedWire
from dedicated_line.simulated.profiles import PROFILES
from dedicated_line.simulated.wire import Wire

LOOPBACK = "127.0.0.1"


def enrolment(settings: LineSettings | None = None) -> Enrolment:
    """Return enrolment in this installation's state folder."""
    settings = settings or LineSettings.load()
    return Enrolment(
        line=settings.line_folder,
        kiosks=settings.kiosks_folder,
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )


def run_centre_end() -> None:
    """Serve the centre's end of the line until told to stop."""
    settings = LineSettings.load()
    end = CentreEnd(
        host=LOOPBACK,
        port=settings.line_port,
        context=server_context(settings.line_folder),
        register=enrolment(settings).register_file,
        kiosk_api=settings.kiosk_api_socket,
        redis_url=settings.redis_url,
        clock=SystemClock(),
        report=lambda line: _say("serve", line),
        incident=lambda: record_incident(settings.state / "log", "kofu-line serve"),
    )
    _run_until_told(lambda stop: end.run(lambda port: _ready("serve", f"{LOOPBACK}:{port}"), stop))


def run_simulated_wire(profile: str | None) -> None:
    """Simulate the wire until told to stop; `profile` outranks the settings."""
    settings = LineSettings.load()
    if not settings.simulation:
        raise UsageError(
            "the wire is simulated and refused in production; "
            "set KOFU_ENVIRONMENT=simulation for a model system"
        )
    name = profile or settings.wire
    if name not in PROFILES:
        raise UsageError(f"there is no wire {name!r}; choose one of {', '.join(PROFILES)}")
    part = enrolment(settings)
    wire = SimulatedWire(
        make=lambda: Wire(
            (LOOPBACK, settings.line_port), settings.wire_port, PROFILES[name], settings.wire_seed
        ),
        circuits=lambda: [entry.circuit for entry in part.register().kiosks],
    )
    _say("wire", f"SIMULATED wire, profile {name}: not for production")
    where = f"port {settings.wire_port} of each circuit"
    _run_until_told(
        lambda stop: wire.run(lambda count: _ready("wire", f"{where}, circuits: {count}"), stop)
    )


def _run_until_told(serve: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await serve(stop)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


def _ready(command: str, where: str) -> None:
    sys.stdout.write(f"kofu-line {command} ready on {where}\n")
    sys.stdout.flush()


def _say(command: str, line: str) -> None:
    now = SystemClock().real_now().isoformat(timespec="milliseconds")
    sys.stderr.write(f"{now} kofu-line {command}: {line}\n")
    sys.stderr.flush()
