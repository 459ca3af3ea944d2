"""What the line publishes in Redis: states of kiosks and security events, in batches.

It fails open: without Redis the newest of each waits in memory, and traffic goes on.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from dedicated_line.clock import Clock
from dedicated_line.contract.line import (
    KIOSK_STATES_KEY,
    SECURITY_STREAM,
    Heartbeat,
    KioskState,
    SecurityEvent,
    SecurityEventKind,
)
from dedicated_line.enrolment.model import Caller

BATCH_SECONDS: Final = 0.2
AGAIN_SECONDS: Final = 1.0
KEPT_EVENTS: Final = 10_000
"""Security events in the stream, and in memory while Redis is away."""


def open_redis(url: str, seconds: float) -> Redis:
    """Return a client that gives up after some seconds and never repeats by itself."""
    client: Redis = Redis.from_url(
        url,
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
        protocol=2,
    )
    return client


class Publisher:
    """Keeps the newest state of each kiosk, and tells Redis what has changed."""

    def __init__(self, redis: Redis, clock: Clock, report: Callable[[str], None]) -> None:
        self._redis = redis
        self._clock = clock
        self._report = report
        self._connections: Counter[str] = Counter()
        self._states: dict[str, KioskState] = {}
        self._changed: set[str] = set()
        self._security: deque[SecurityEvent] = deque(maxlen=KEPT_EVENTS)
        self._work = asyncio.Event()
        self._stop = asyncio.Event()
        self._lost = False

    def connected(self, caller: Caller) -> None:
        """Note that a kiosk has opened a connection."""
        self._connections[caller.kiosk] += 1
        self._note(caller, connected=True)

    def disconnected(self, caller: Caller) -> None:
        """Note that one of a kiosk's connections has ended."""
        self._connections[caller.kiosk] -= 1
        if self._connections[caller.kiosk] <= 0:
            del self._connections[caller.kiosk]
            self._note(caller, connected=False)

    def heard(self, caller: Caller, heartbeat: Heartbeat) -> None:
        """Note a heartbeat."""
        self._note(caller, connected=True, heartbeat=heartbeat)

    def refused(self, kind: SecurityEventKind, source: str, kiosk: str | None, detail: str) -> None:
        """Note a security event; `detail` has nothing that a client sent."""
        self._report(f"refused {kind} from {source}{f' ({kiosk})' if kiosk else ''}: {detail}")
        self._security.append(
            SecurityEvent(
                kind=kind, at=self._clock.real_now(), source=source, kiosk=kiosk, detail=detail
            )
        )
        self._work.set()

    async def run(self) -> None:
        """Publish until stopped, and once more at the end."""
        while not self._stop.is_set():
            await self._work.wait()
            self._work.clear()
            again = not await self._flush()
            await self._pause(AGAIN_SECONDS if again else BATCH_SECONDS)
            if again:
                self._work.set()
        await self._flush()
        await self._redis.aclose()

    def stop(self) -> None:
        """End `run`."""
        self._stop.set()
        self._work.set()

    def _note(self, caller: Caller, *, connected: bool, heartbeat: Heartbeat | None = None) -> None:
        known = self._states.get(caller.kiosk)
        self._states[caller.kiosk] = KioskState(
            kiosk=caller.kiosk,
            circuit=caller.source,
            connected=connected,
            seen_at=self._clock.real_now(),
            heartbeat=heartbeat or (known.heartbeat if known else None),
        )
        self._changed.add(caller.kiosk)
        self._work.set()

    async def _flush(self) -> bool:
        changed, self._changed = self._changed, set()
        events = list(self._security)
        if not changed and not events:
            return True
        try:
            async with self._redis.pipeline(transaction=False) as pipeline:
                if changed:
                    states = [(each, self._states[each].model_dump_json()) for each in changed]
                    pipeline.hset(
                        KIOSK_STATES_KEY, items=[part for pair in states for part in pair]
                    )
                for event in events:
                    pipeline.xadd(
                        SECURITY_STREAM,
                        {"event": event.model_dump_json()},
                        maxlen=KEPT_EVENTS,
                        approximate=True,
                    )
                await pipeline.execute()
        except (RedisError, OSError):
            self._changed |= changed
            self._tell(lost=True)
            return False
        for event in events:
            if self._security and self._security[0] is event:
                self._security.popleft()
        self._tell(lost=False)
        return True

    def _tell(self, *, lost: bool) -> None:
        if lost is not self._lost:
            self._lost = lost
            self._report(
                "Redis does not answer: states and events wait, traffic goes on"
                if lost
                else "Redis answers again"
            )

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return
