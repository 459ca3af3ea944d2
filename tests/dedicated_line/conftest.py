"""A real line on loopback: CA, register, both ends, a wire, Redis, and a stand-in kiosk API."""

import asyncio
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvloop
from redis import Redis

from dedicated_line.centre_end.model import Limits
from dedicated_line.centre_end.process import CentreEnd
from dedicated_line.centre_end.server import server_context
from dedicated_line.clock import SystemClock, SystemEntropy
from dedicated_line.contract.line import SECURITY_STREAM, SecurityEvent
from dedicated_line.enrolment.service import Enrolment
from dedicated_line.kiosk_end.client import LineClient
from dedicated_line.simulated.profiles import PROFILES, Profile
from dedicated_line.simulated.wire import Wire

KIOSK = "k000001"
CIRCUIT = "127.1.5.1"
OTHER_KIOSK = "k000002"
OTHER_CIRCUIT = "127.1.5.2"
SECONDS = 15.0
"""Longest wait for anything that these tests wait for."""


def wait_until(holds: Callable[[], Any]) -> Any:
    """Return the first true value of a question asked again and again, within `SECONDS`."""
    clock, pause = SystemClock(), threading.Event()
    end = clock.monotonic() + SECONDS
    while not (value := holds()):
        assert clock.monotonic() < end, "it did not come true in time"
        pause.wait(0.02)
    return value


class Loop:
    """An event loop of its own thread, for servers under test."""

    def __init__(self) -> None:
        self.loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def start(self, coroutine: Any) -> "Future[Any]":
        """Start a coroutine on the loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop)

    def run(self, coroutine: Any) -> Any:
        """Return what a coroutine returns."""
        return self.start(coroutine).result(SECONDS)

    def call(self, function: Callable[[], Any]) -> Any:
        """Call a function on the loop's thread."""

        async def on_loop() -> Any:
            return function()

        return self.run(on_loop())

    def close(self) -> None:
        """Stop and join."""
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(SECONDS)
        self.loop.close()


@dataclass
class StandInApi:
    """A kiosk API on a Unix socket: it answers each request with what it received."""

    path: Path
    received: list[bytes] = field(default_factory=list)
    answer: Callable[[bytes], bytes | None] | None = None
    """Makes another answer; None closes without one."""
    server: asyncio.Server | None = None
    writers: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        """Listen."""
        self.server = await asyncio.start_unix_server(self._serve, self.path)

    async def stop(self) -> None:
        """Stop listening and hang up."""
        if self.server is not None:
            self.server.close()
        for writer in list(self.writers):
            writer.close()
        self.path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.add(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ]
                request = head + await reader.readexactly(sum(lengths))
                self.received.append(request)
                answer = self.answer(request) if self.answer else ok(request)
                if answer is None:
                    break
                writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.writers.discard(writer)
            writer.close()


def ok(body: bytes) -> bytes:
    """Return a plain answer."""
    return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body


class RedisServer:
    """A redis-server of one's own on a Unix socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.path = folder / "r.sock"
        self.url = f"unix://{self.path}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        """Start, empty."""
        self._process = subprocess.Popen(
            [
                *("redis-server", "--port", "0", "--save", "", "--appendonly", "no"),
                *("--unixsocket", str(self.path), "--dir", str(self._folder)),
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_until(self._answers)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.path)) == 0

    @contextmanager
    def client(self) -> Iterator["Redis[str]"]:
        """Give a client for a moment."""
        client = Redis.from_url(self.url, decode_responses=True)
        try:
            yield client
        finally:
            client.close()

    def security_events(self) -> list[SecurityEvent]:
        """Return what was published, oldest first."""
        with self.client() as client:
            entries = client.xrange(SECURITY_STREAM)
        return [SecurityEvent.model_validate_json(fields["event"]) for _, fields in entries]

    def kill(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(SECONDS)
            self._process = None


@dataclass
class Line:
    """The line as a test uses it."""

    folder: Path
    loop: Loop
    enrolment: Enrolment
    api: StandInApi
    redis: RedisServer
    port: int
    reports: list[str]
    incidents: list[str]
    stop: Callable[[], None]
    wires: list[Wire] = field(default_factory=list)
    clients: list[LineClient] = field(default_factory=list)

    def keys(self, kiosk: str) -> Path:
        """Return the folder of a kiosk's keys."""
        return self.enrolment.kiosks / kiosk

    def wire(self, profile: Profile = PROFILES["none"]) -> tuple[Wire, int]:
        """Return a wire on the first circuit, and its port."""
        wire = Wire(("127.0.0.1", self.port), 0, profile, 1)
        self.wires.append(wire)
        port: int = self.loop.run(wire.start(CIRCUIT))
        return wire, port

    def client(self, port: int, kiosk: str = KIOSK, host: str = CIRCUIT) -> LineClient:
        """Return a kiosk's end that connects to a wire."""
        keys = self.keys(kiosk)
        client = LineClient(
            host, port, keys / "line.pem", keys / "line.key", keys / "line-ca.pem", SystemClock()
        )
        self.clients.append(client)
        return client

    def close(self) -> None:
        """Stop everything."""
        for client in self.clients:
            client.close()
        for wire in self.wires:
            self.loop.run(wire.close())
        self.stop()
        self.loop.run(self.api.stop())
        self.redis.kill()


LIMITS = Limits(
    handshake=1.0, header=1.0, body=1.5, idle=30.0, hold=1.5, upstream=3.0, linger=0.2, drain=1.0
)
"""Short deadlines, so that tests of slowness are quick."""


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """Give a folder whose path is short enough for Unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="kl", dir="/tmp"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def enrolment(tmp_path: Path) -> Enrolment:
    """Give a line's CA with nobody enrolled."""
    made = Enrolment(
        line=tmp_path / "line",
        kiosks=tmp_path / "kiosks",
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
    made.init_ca()
    return made


@pytest.fixture
def line(short_folder: Path, enrolment: Enrolment) -> Iterator[Line]:
    """Give a line with two kiosks, served for the length of a test."""
    enrolment.add_kiosk(KIOSK, CIRCUIT, "駅前店")
    enrolment.add_kiosk(OTHER_KIOSK, OTHER_CIRCUIT, "港店")
    loop, redis = Loop(), RedisServer(short_folder)
    api = StandInApi(short_folder / "api.sock")
    loop.run(api.start())
    reports: list[str] = []
    incidents: list[str] = []
    end = CentreEnd(
        host="127.0.0.1",
        port=0,
        context=server_context(enrolment.line),
        register=enrolment.register_file,
        kiosk_api=api.path,
        redis_url=redis.url,
        clock=SystemClock(),
        report=reports.append,
        incident=lambda: incidents.append("incident") or "abc123",
        limits=LIMITS,
    )
    ready: Future[int] = Future()
    stop = loop.call(asyncio.Event)
    running = loop.start(end.run(ready.set_result, stop))

    def stopped() -> None:
        loop.loop.call_soon_threadsafe(stop.set)
        running.result(SECONDS)

    made = Line(
        folder=short_folder,
        loop=loop,
        enrolment=enrolment,
        api=api,
        redis=redis,
        port=ready.result(SECONDS),
        reports=reports,
        incidents=incidents,
        stop=stopped,
    )
    yield made
    made.close()
    loop.close()
    assert incidents == []


@pytest.fixture
def eventually() -> Callable[[Callable[[], Any]], Any]:
    """Give the function that waits for something to come true."""
    return wait_until
