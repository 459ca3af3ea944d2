"""The one place where the line's processes are put together from their settings."""

import asyncio
import sys

import uvloop

from dedicated_line.centre_end.process import CentreEnd
from dedicated_line.centre_end.server import server_context
from dedicated_line.clock import SystemClock, SystemEntropy
from dedicated_line.enrolment.service import Enrolment
from dedicated_line.errors import record_incident
from dedicated_line.line_settings import LineSettings

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
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(end.run(lambda port: _ready("serve", f"{LOOPBACK}:{port}")))


def _ready(command: str, where: str) -> None:
    sys.stdout.write(f"kofu-line {command} ready on {where}\n")
    sys.stdout.flush()


def _say(command: str, line: str) -> None:
    now = SystemClock().real_now().isoformat(timespec="milliseconds")
    sys.stderr.write(f"{now} kofu-line {command}: {line}\n")
    sys.stderr.flush()
