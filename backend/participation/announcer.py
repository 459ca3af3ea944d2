"""Tells kiosks of changes through Redis; the line's centre end hands them down."""

import logging
from typing import Final

import redis

from dedicated_line.contract.line import EVENTS_STREAM, LineEvent

KEPT_EVENTS: Final = 10_000
"""Older events are forgotten; a kiosk that missed them asks the centre anyway."""
_log = logging.getLogger(__name__)


class RedisAnnouncer:
    """Publishes to the stream of line events; where Redis is down it warns and goes on.

    Nothing is lost by it but speed: every session asks the ledger what is open.
    """

    def __init__(self, client: redis.Redis) -> None:
        """Take an opened client, with timeouts of its own."""
        self._client = client

    def announce(self, event: LineEvent) -> None:
        """Publish the event, or log that it could not be published."""
        try:
            self._client.xadd(EVENTS_STREAM, {"event": event.to_json()}, maxlen=KEPT_EVENTS)
        except redis.RedisError:
            _log.warning(
                "participation of %s has changed, but Redis does not answer: "
                "kiosks learn of it with their next session",
                event.municipality,
            )
