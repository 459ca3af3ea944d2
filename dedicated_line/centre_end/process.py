"""The process of the centre's end: everything started, and ended in order."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dedicated_line.centre_end.events import BLOCK_MILLISECONDS, HeldEvents
from dedicated_line.centre_end.model import Limits
from dedicated_line.centre_end.published import Publisher, open_redis
from dedicated_line.centre_end.register import LiveRegister
from dedicated_line.centre_end.server import LineServer
from dedicated_line.centre_end.service import LineDesk
from dedicated_line.centre_end.upstream import Upstream
from dedicated_line.clock import Clock

REDIS_SECONDS = 2.0


@dataclass(frozen=True)
class CentreEnd:
    """The centre's end of the line, put together; `run` serves until told to stop."""

    host: str
    port: int
    context: ssl.SSLContext
    register: Path
    kiosk_api: Path
    redis_url: str
    clock: Clock
    report: Callable[[str], None]
    """Takes one line for the operators: no body, no id of a session, nothing a client sent."""
    incident: Callable[[], str]
    """Records the exception being handled; returns the incident's id."""
    limits: Limits = field(default_factory=Limits)

    async def run(self, ready: Callable[[int], None], stop: asyncio.Event) -> None:
        """Serve until `stop`; `ready` gets the port once it listens.

        Raises:
            CannotListenError: the port is taken.
        """
        loop = asyncio.get_running_loop()
        publisher = Publisher(open_redis(self.redis_url, REDIS_SECONDS), self.clock, self.report)
        held = BLOCK_MILLISECONDS / 1000 + REDIS_SECONDS
        events = HeldEvents(open_redis(self.redis_url, held), self.report)
        upstream = Upstream(self.kiosk_api, self.limits, self.clock)
        register = LiveRegister(self.register, self.report)
        desk = LineDesk(register, upstream, publisher, events, self.limits)
        server = LineServer(self.context, desk, self.limits, self.clock, self.incident)
        port = server.start(self.host, self.port)
        tasks = [loop.create_task(publisher.run()), loop.create_task(events.run())]
        ready(port)
        watched = loop.create_task(stop.wait())
        await asyncio.wait([watched, *tasks], return_when=asyncio.FIRST_COMPLETED)
        watched.cancel()
        events.stop()
        await server.drain()
        upstream.close()
        tasks[1].cancel()
        publisher.stop()
        await asyncio.wait(tasks, timeout=REDIS_SECONDS / 2)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception):
                raise result
