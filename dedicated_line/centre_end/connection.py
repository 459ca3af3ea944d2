"""One connection of a kiosk, after the handshake: requests in, answers out, deadlines."""

import asyncio
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

from dedicated_line.centre_end.model import (
    Answer,
    Limits,
    Refusal,
    Request,
    head,
    refusal_answer,
)
from dedicated_line.centre_end.requests import Phase, RequestReader
from dedicated_line.centre_end.service import LineDesk, internal
from dedicated_line.contract.line import SecurityEventKind
from dedicated_line.contract.problems import ProblemCode
from dedicated_line.enrolment.model import Caller

_SLOW = Refusal(
    SecurityEventKind.SLOW_CLIENT,
    HTTPStatus.REQUEST_TIMEOUT,
    ProblemCode.MALFORMED,
    "the request did not come in time",
)
_FLOOD = Refusal(
    SecurityEventKind.FLOOD,
    HTTPStatus.TOO_MANY_REQUESTS,
    ProblemCode.MALFORMED,
    "wait for the answer before sending on",
)
_EXPIRED = Refusal(
    SecurityEventKind.UNKNOWN_CERTIFICATE,
    HTTPStatus.FORBIDDEN,
    ProblemCode.NOT_A_KIOSK,
    "this kiosk's certificate has expired; have it enrolled again",
)
Identify = Callable[[asyncio.BaseTransport], tuple[Caller, Callable[[], bool]]]
"""Says who a finished handshake has shown, and whether that certificate has expired since."""


class KioskConnection(asyncio.Protocol):
    """Reads requests one after the other and writes their answers in order."""

    def __init__(
        self,
        desk: LineDesk,
        limits: Limits,
        identify: Identify,
        incident: Callable[[], str],
        begun: Callable[["KioskConnection"], None],
        gone: Callable[["KioskConnection"], None],
    ) -> None:
        self._desk = desk
        self._limits = limits
        self._identify = identify
        self._incident = incident
        self._begun = begun
        self._gone = gone
        self._reader = RequestReader(limits)
        self._seconds = {
            Phase.IDLE: limits.idle,
            Phase.HEADER: limits.header,
            Phase.BODY: limits.body,
        }
        self._queue: deque[Request | Refusal] = deque()
        self._transport: asyncio.Transport | None = None
        self._caller: Caller | None = None
        self._expired: Callable[[], bool] | None = None
        self._known = False
        self._work: asyncio.Task[None] | None = None
        self._held = False
        self._timer: asyncio.TimerHandle | None = None
        self._timed: Phase | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._over = False
        self._draining = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start: the handshake is done."""
        # uvloop's class is not derived from asyncio's.
        self._transport = cast("asyncio.Transport", transport)
        self._caller, self._expired = self._identify(transport)
        self._known = self._desk.opened(self._caller)
        self._begun(self)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on; after a refusal everything is thrown away."""
        if self._over:
            return
        self._queue.extend(self._reader.feed(data))
        if len(self._queue) > self._limits.pipelined:
            self._queue.clear()
            self._queue.append(_FLOOD)
        if self._queue and self._work is None:
            self._work = asyncio.get_running_loop().create_task(self._answer_all())
        self._watch()

    def pause_writing(self) -> None:
        """Give a client that takes its answer slowly a deadline of its own."""
        self._writable.clear()
        loop = asyncio.get_running_loop()
        self._write_timer = loop.call_later(self._limits.write, self._too_slow)

    def resume_writing(self) -> None:
        """Forget that deadline."""
        self._writable.set()
        self._stop_write_timer()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio names it
        """Let a request that was passed on come to its end, and a held one go."""
        self._over = True
        self._writable.set()
        self._stop_timer()
        self._stop_write_timer()
        if self._work is not None and self._held:
            self._work.cancel()
        if self._known and self._caller is not None:
            self._known = False
            self._desk.ended(self._caller)
        self._gone(self)

    def drain(self) -> None:
        """Close when nothing is in hand, otherwise after the answer."""
        self._draining = True
        if self._work is None:
            self._close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------------ answers
    async def _answer_all(self) -> None:
        try:
            while self._queue and not self._over:
                await self._answer_one(self._queue.popleft())
                await self._writable.wait()
        finally:
            self._work = None
        if self._draining and not self._over:
            self._close()
        elif not self._over:
            self._watch()

    async def _answer_one(self, item: Request | Refusal) -> None:
        if isinstance(item, Request):
            refusal = self._refused_now()
            if refusal is None:
                keep = item.keep_alive
                answer = await self._answer_to(item)
                keep = keep and not self._draining
                self._write(answer, keep_alive=keep)
                if not keep:
                    self._linger()
                return
            item = refusal
        self._refuse(item)

    async def _answer_to(self, request: Request) -> Answer:
        if self._caller is None:
            raise RuntimeError("a request before the handshake")
        self._held = self._desk.is_held(request)
        try:
            return await self._desk.answer(self._caller, request)
        except Exception:  # noqa: BLE001 - the edge: an incident, and the others are served on
            return internal(self._incident())
        finally:
            self._held = False

    def _refused_now(self) -> Refusal | None:
        if self._caller is None or self._expired is None or self._expired():
            return _EXPIRED
        return self._desk.refusal(self._caller)

    def _refuse(self, refusal: Refusal) -> None:
        if self._caller is not None:
            self._desk.report(refusal, self._caller.source, self._caller.kiosk)
        self._write(refusal_answer(refusal), keep_alive=False)
        self._linger()

    def _write(self, answer: Answer, *, keep_alive: bool) -> None:
        if self._over or self._transport is None:
            return
        start = head(answer.status, answer.headers, len(answer.body), keep_alive=keep_alive)
        self._transport.write(start + answer.body)

    # ---------------------------------------------------------------- deadlines
    def _watch(self) -> None:
        """Set the deadline of the phase that the connection is in, when it has changed."""
        phase = None if self._work is not None or self._over else self._reader.phase
        if phase is self._timed:
            return
        self._stop_timer()
        self._timed = phase
        if phase is None or phase not in self._seconds:
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._seconds[phase], self._out_of_time, phase)

    def _out_of_time(self, phase: Phase) -> None:
        if phase is Phase.IDLE:
            self._close()
        else:
            self._refuse(_SLOW)

    def _too_slow(self) -> None:
        if self._caller is not None:
            self._desk.report(_SLOW, self._caller.source, self._caller.kiosk)
        self.abort()

    def _linger(self) -> None:
        """Read and throw away for a moment: closing on unread bytes would lose the answer."""
        self._over = True
        self._queue.clear()
        self._stop_timer()
        self._timer = asyncio.get_running_loop().call_later(self._limits.linger, self._close)

    def _close(self) -> None:
        self._over = True
        if self._transport is not None:
            self._transport.close()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._timed = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
