"""What comes down to kiosks: one reader of the stream in Redis, any number of held requests.

It fails open: without Redis a held request ends after its time with no events.
"""

import asyncio
import re
from bisect import bisect_right
from collections.abc import Callable
from typing import Final, cast

from redis.asyncio import Redis
from redis.exceptions import RedisError

from dedicated_line.contract.line import EVENTS_STREAM, LineEvent, LineEvents

REMEMBERED: Final = 1000
"""Newest events in memory; a kiosk that was away longer asks the centre anyway."""
BLOCK_MILLISECONDS: Final = 5000
AGAIN_SECONDS: Final = 1.0
START: Final = "0-0"
_FORM: Final = re.compile(r"^[0-9]{1,15}-[0-9]{1,15}$")
EventId = tuple[int, int]
Entry = tuple[str, dict[str, str]]
"""Id and fields, as the stream has them."""


def is_event_id(text: str) -> bool:
    """Tell whether text is an id of the stream, such as ``1700000000000-0``."""
    return _FORM.match(text) is not None


def _key(event_id: str) -> EventId:
    milliseconds, _, count = event_id.partition("-")
    return int(milliseconds), int(count)


class HeldEvents:
    """The newest events, and who waits for the next one."""

    def __init__(self, redis: Redis, report: Callable[[str], None]) -> None:
        self._redis = redis
        self._report = report
        self._ids: list[EventId] = []
        self._events: list[LineEvent] = []
        self._last = START
        self._lost = False
        self._waiting: set[asyncio.Future[None]] = set()
        self._stop = asyncio.Event()

    async def hold(self, after: str | None, seconds: float) -> LineEvents:
        """Return the events after an id, as soon as there is one, or none when time is up.

        Without an id the answer comes at once: no events, and from where to ask on.
        """
        if after is None:
            return LineEvents(last=self._last, events=())
        try:
            async with asyncio.timeout(seconds):
                while not (found := self._since(after)) and not self._stop.is_set():
                    await self._next()
        except TimeoutError:
            found = ()
        return LineEvents(last=self._last if found else after, events=found)

    async def run(self) -> None:
        """Read the stream until stopped."""
        known = False
        while not self._stop.is_set():
            try:
                if not known:
                    newest = await self._redis.xrevrange(EVENTS_STREAM, count=REMEMBERED)
                    self._take(cast("list[Entry]", newest)[::-1])
                    known = True
                answer = await self._redis.xread(
                    {EVENTS_STREAM: self._last}, block=BLOCK_MILLISECONDS
                )
                self._tell(lost=False)
                for _, entries in cast("list[tuple[str, list[Entry]]]", answer):
                    self._take(entries)
            except (RedisError, OSError):
                self._tell(lost=True)
                await self._pause()
        await self._redis.aclose()

    def stop(self) -> None:
        """Answer everybody who waits; `run` is cancelled by its owner."""
        self._stop.set()
        self._wake()

    def _since(self, after: str) -> tuple[LineEvent, ...]:
        return tuple(self._events[bisect_right(self._ids, _key(after)) :])

    async def _next(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def _take(self, entries: list[Entry]) -> None:
        for event_id, fields in entries:
            if self._ids and _key(event_id) <= self._ids[-1]:
                continue
            self._last = event_id
            try:
                event = LineEvent.model_validate_json(fields.get("event", ""))
            except ValueError:
                self._report("an event in Redis is not one of the contract's and was left out")
                continue
            self._ids.append(_key(event_id))
            self._events.append(event)
        del self._ids[:-REMEMBERED], self._events[:-REMEMBERED]
        if entries:
            self._wake()

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _tell(self, *, lost: bool) -> None:
        if lost is not self._lost:
            self._lost = lost
            self._report(
                "Redis does not answer: no events come down" if lost else "events come down again"
            )

    async def _pause(self) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), AGAIN_SECONDS)
        except TimeoutError:
            return
