"""The kiosk API behind the line: HTTP over a Unix socket, on a small pool of connections."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httptools

from dedicated_line.centre_end.model import Answer, Limits
from dedicated_line.clock import Clock
from dedicated_line.errors import KofuError

LONGEST_REST: Final = 20.0
"""Seconds after which an idle connection is not used again; gunicorn keeps it for 30."""


class UpstreamDownError(KofuError):
    """The kiosk API cannot be reached, or broke off; `sent` tells whether it may have acted."""

    def __init__(self, *, sent: bool) -> None:
        super().__init__("the kiosk API does not answer; check that it runs")
        self.sent = sent


class UpstreamSlowError(KofuError):
    """The kiosk API did not answer in time, and may have acted."""


class _Connection(asyncio.Protocol):
    """One connection to the kiosk API; one exchange at a time."""

    def __init__(self, longest: int, gone: Callable[["_Connection"], None]) -> None:
        self._longest = longest
        self._gone = gone
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self.touched = False
        """Whether any byte of the answer has come."""
        self.rested_at = 0.0
        self.reusable = True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport  # type: ignore[assignment]  # a socket's is always both ways

    def exchange(self, request: bytes) -> "asyncio.Future[Answer]":
        """Send a request; the future gives its answer, or UpstreamDownError."""
        self._waiting = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._length = 0
        self.touched = False
        if self._transport is None or self._transport.is_closing():
            self._fail()
        else:
            self._transport.write(request)
        return self._waiting

    def data_received(self, data: bytes) -> None:
        """Feed the parser; anything but one answer breaks the connection off."""
        self.touched = True
        if self._waiting is None or self._waiting.done():
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        """Fail what waits."""
        self._fail()

    def close(self) -> None:
        """Close at once; the pool forgets this connection."""
        self.reusable = False
        self._gone(self)
        if self._transport is not None:
            self._transport.abort()

    def _fail(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(UpstreamDownError(sent=True))
        self.close()

    # ------------------------------------------------------- called by httptools
    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header."""
        self._headers.append((name.decode("latin-1").lower(), value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._length += len(body)
        if self._length > self._longest:
            raise ValueError("the answer is too long")
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand the answer over."""
        self.reusable = self.reusable and bool(self._parser.should_keep_alive())
        if self._waiting is not None and not self._waiting.done():
            status = self._parser.get_status_code()
            self._waiting.set_result(Answer(status, tuple(self._headers), b"".join(self._body)))


class Upstream:
    """Exchanges with the kiosk API."""

    def __init__(self, path: Path, limits: Limits, clock: Clock) -> None:
        self._path = str(path)
        self._limits = limits
        self._clock = clock
        self._slots = asyncio.Semaphore(limits.upstream_connections)
        self._idle: list[_Connection] = []

    async def exchange(self, request: bytes, *, repeatable: bool) -> Answer:
        """Return the answer to a request.

        A connection that turns out to be closed already is replaced, once, when the request may
        be repeated.

        Raises:
            UpstreamDownError: there is nobody, or it broke off.
            UpstreamSlowError: no answer within the limit.
        """
        try:
            async with asyncio.timeout(self._limits.upstream), self._slots:
                connection = self._rested()
                if connection is not None:
                    try:
                        return await self._on(connection, request)
                    except UpstreamDownError:
                        if connection.touched or not repeatable:
                            raise
                return await self._on(await self._connect(), request)
        except TimeoutError as error:
            raise UpstreamSlowError("the kiosk API gave no answer in time") from error

    def close(self) -> None:
        """Close the connections that rest."""
        for connection in list(self._idle):
            connection.close()

    async def _on(self, connection: _Connection, request: bytes) -> Answer:
        finished = False
        try:
            answer = await connection.exchange(request)
            finished = True
        finally:
            if finished and connection.reusable:
                connection.rested_at = self._clock.monotonic()
                self._idle.append(connection)
            else:
                connection.close()
        return answer

    def _rested(self) -> _Connection | None:
        earliest = self._clock.monotonic() - LONGEST_REST
        while self._idle:
            connection = self._idle.pop()
            if connection.rested_at >= earliest:
                return connection
            connection.close()
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_unix_connection(
                lambda: _Connection(self._limits.answer_bytes, self._forget), self._path
            )
        except OSError as error:
            raise UpstreamDownError(sent=False) from error
        return connection

    def _forget(self, connection: _Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
