"""Whom the centre turned away before there was an order: what operators see of it, for a while.

Nothing of a person is in it. It is kept in Redis, the newest few hundred, and may be lost: the
ledger begins with the order.
"""

import logging
from dataclasses import dataclass
from typing import Final, Protocol, cast

import redis
from pydantic import TypeAdapter, ValidationError

from dedicated_line.contract.message import UtcTime
from dedicated_line.contract.refusals import Refusal

STREAM: Final = "kofu:{centre}:turned-away"
KEPT: Final = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TurnedAway:
    """A session that ended without an order, because a rule said no."""

    session: str
    kiosk: str
    refusal: Refusal
    at: UtcTime
    """Real time."""
    municipality: str | None = None
    """Its name, where it is known and may be said."""


class Visitors(Protocol):
    """Who keeps an eye on the reception."""

    def note(self, turned_away: TurnedAway) -> None:
        """Take note, or say in the log that it could not be; never raises."""
        ...


class Nobody:
    """Takes no notes."""

    def note(self, turned_away: TurnedAway) -> None:
        """Let them go."""


_ADAPTER: Final[TypeAdapter[TurnedAway]] = TypeAdapter(TurnedAway)


class RedisVisitors:
    """Notes in a capped stream, which consoles read."""

    def __init__(self, client: redis.Redis) -> None:
        """Take an opened client, with timeouts of its own."""
        self._client = client

    def note(self, turned_away: TurnedAway) -> None:
        """Append to the stream; where Redis is down, warn and go on."""
        try:
            self._client.xadd(STREAM, {"event": _ADAPTER.dump_json(turned_away)}, maxlen=KEPT)
        except redis.RedisError:
            _log.warning("Redis does not answer: operators do not see one who was turned away")


def latest(client: redis.Redis, most: int) -> tuple[TurnedAway, ...]:
    """Return who was turned away, the last first; what cannot be read is left out.

    Raises:
        redis.RedisError: Redis is down.
    """
    found = cast("list[tuple[bytes, dict[bytes, bytes]]]", client.xrevrange(STREAM, count=most))
    read = (_read(fields.get(b"event", b"")) for _, fields in found)
    return tuple(one for one in read if one is not None)


def find(client: redis.Redis, text: str) -> TurnedAway | None:
    """Return the last one with this reference number or session id; None when none has.

    Raises:
        redis.RedisError: Redis is down.
    """
    prefix = text.replace("-", "").strip().lower()
    if not prefix:
        return None
    return next((one for one in latest(client, KEPT) if one.session.startswith(prefix)), None)


def _read(value: bytes) -> TurnedAway | None:
    try:
        return _ADAPTER.validate_json(value)
    except ValidationError:
        return None
