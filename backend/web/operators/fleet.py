"""What the line publishes in Redis, and the list of kiosks, put side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, cast

import redis
from pydantic import ValidationError

from backend.kiosks.service import Kiosk
from backend.orders.turned_away import TurnedAway, find, latest
from dedicated_line.contract.line import (
    HEARTBEAT_SECONDS,
    KIOSK_STATES_KEY,
    SECURITY_STREAM,
    Health,
    KioskState,
    SecurityEvent,
)

SILENT_AFTER: Final = timedelta(seconds=3 * HEARTBEAT_SECONDS)
"""Three heartbeats missed."""
EVENTS_SHOWN: Final = 20


class Reach(StrEnum):
    """How the line reaches a kiosk."""

    CONNECTED = "connected"
    SILENT = "silent"
    """Connected by the line's last word, but without a heartbeat lately."""
    AWAY = "away"
    """The circuit is down."""
    NEVER = "never"
    """Listed, and never seen since Redis started."""
    UNKNOWN = "unknown"
    """Redis is down; nobody can say."""


@dataclass(frozen=True)
class KioskRow:
    """One kiosk: what the list says of it, and what the line saw last."""

    id: str
    circuit: str
    name: str
    listed: bool
    in_service: bool
    reach: Reach
    state: KioskState | None

    @property
    def trouble(self) -> bool:
        """Tell whether somebody should look at it."""
        heartbeat = self.state.heartbeat if self.state else None
        parts = (
            ()
            if heartbeat is None
            else (heartbeat.reader, heartbeat.printer, heartbeat.coins, heartbeat.paper)
        )
        return self.reach is not Reach.CONNECTED or any(
            part.health is not Health.READY for part in parts
        )


@dataclass(frozen=True)
class Seen:
    """What Redis holds of the line."""

    up: bool
    """False: Redis does not answer, and the rest is empty."""
    states: dict[str, KioskState]
    events: tuple[SecurityEvent, ...]
    turned_away: tuple[TurnedAway, ...] = ()
    """By the reception, before there was an order; the last first."""
    unreadable: int = 0
    """Entries that are none of the contract's messages; they are counted, not shown."""


def look_at_line(client: redis.Redis) -> Seen:
    """Read the newest kiosk states and security events; say so when Redis is down."""
    try:
        kept = cast("dict[bytes, bytes]", client.hgetall(KIOSK_STATES_KEY))
        newest = cast(
            "list[tuple[bytes, dict[bytes, bytes]]]",
            client.xrevrange(SECURITY_STREAM, count=EVENTS_SHOWN),
        )
        away = latest(client, EVENTS_SHOWN)
    except redis.RedisError:
        return Seen(up=False, states={}, events=())
    unreadable = 0
    states: dict[str, KioskState] = {}
    events: list[SecurityEvent] = []
    for value in kept.values():
        state = _read(KioskState, value)
        if state is None:
            unreadable += 1
        else:
            states[state.kiosk] = state
    for _, fields in newest:
        event = _read(SecurityEvent, fields.get(b"event", b""))
        if event is None:
            unreadable += 1
        else:
            events.append(event)
    return Seen(
        up=True, states=states, events=tuple(events), turned_away=away, unreadable=unreadable
    )


def find_turned_away(client: redis.Redis, text: str) -> TurnedAway | None:
    """Return who was turned away under this reference number; None also where Redis is down."""
    try:
        return find(client, text)
    except redis.RedisError:
        return None


def _read(model: type[Any], value: bytes) -> Any:
    try:
        return model.model_validate_json(value)
    except ValidationError:
        return None


def rows(kiosks: Iterable[Kiosk], seen: Seen, at: datetime) -> tuple[KioskRow, ...]:
    """Return every kiosk that is listed or was seen, by id; `at` is real time."""
    listed = {kiosk.id: kiosk for kiosk in kiosks}
    found = []
    for name in sorted({*listed, *seen.states}):
        kiosk, state = listed.get(name), seen.states.get(name)
        found.append(
            KioskRow(
                id=name,
                circuit=kiosk.circuit if kiosk else state.circuit if state else "",
                name=kiosk.name if kiosk else "",
                listed=kiosk is not None,
                in_service=kiosk is not None and kiosk.in_service,
                reach=_reach(seen, state, at),
                state=state,
            )
        )
    return tuple(found)


def _reach(seen: Seen, state: KioskState | None, at: datetime) -> Reach:
    if not seen.up:
        return Reach.UNKNOWN
    if state is None:
        return Reach.NEVER
    if not state.connected:
        return Reach.AWAY
    return Reach.SILENT if at - state.seen_at > SILENT_AFTER else Reach.CONNECTED
