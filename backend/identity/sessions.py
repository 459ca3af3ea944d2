"""Sessions in Redis: what may be forgotten between "the PIN is typed" and the last order.

Keys, all with a time to live and one hash tag a session (durations are Redis' own):
``kofu:{session:<id>}:opened`` `OpenedSession`; ``:fresh`` while the challenge may be answered;
``:claim`` digest of the one body that answers it; ``:holder`` `StoredHolder`; ``:orders`` the
idempotency keys of the orders counted.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self, TypeVar, cast

import redis
from pydantic import TypeAdapter
from redis.backoff import NoBackoff
from redis.retry import Retry

from backend.identity.errors import SessionsDownError
from dedicated_line.clock import Clock, Entropy
from dedicated_line.contract.issuing import CardWord
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.message import Bytes, UtcTime
from dedicated_line.contract.orders import MAX_ORDERS_PER_SESSION
from dedicated_line.contract.sessions import (
    CHALLENGE_BYTES,
    CHALLENGE_SECONDS,
    SESSION_SECONDS,
    KindOffer,
)

T = TypeVar("T")

SESSION_ID_BYTES: Final = 16
REDIS_SECONDS: Final = 2.0
"""Longer than this and Redis counts as down."""
_SESSION_ID: Final = re.compile(r"[0-9a-f]{32}")
_KIOSK_ID: Final = re.compile(r"k[0-9]{6}")

_CLAIM: Final = """
local claimed = redis.call('GET', KEYS[2])
if claimed then
  if claimed == ARGV[1] then return 'granted' end
  return 'used'
end
if redis.call('EXISTS', KEYS[1]) == 0 then return 'expired' end
local left = redis.call('PTTL', KEYS[3])
if left <= 0 then return 'expired' end
redis.call('SET', KEYS[2], ARGV[1], 'PX', left)
redis.call('DEL', KEYS[1])
return 'granted'
"""
_KEEP: Final = """
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then return false end
redis.call('SET', KEYS[2], ARGV[1], 'PX', left, 'NX')
return redis.call('GET', KEYS[2])
"""
_COUNT: Final = """
local left = redis.call('PTTL', KEYS[1])
if left <= 0 then return 0 end
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then return 1 end
if redis.call('SCARD', KEYS[2]) >= tonumber(ARGV[2]) then return 0 end
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[2], left)
return 1
"""


@dataclass(frozen=True)
class OpenedSession:
    """A session as it was opened."""

    session: str
    kiosk: str
    challenge: Bytes
    layouts: Mapping[Kind, str]
    """Digest of each layout that the kiosk can draw."""
    outdated: tuple[Kind, ...]
    """Kinds closed at this kiosk because its versions are not on the approved list."""
    opened_at: UtcTime
    """Domain time."""


@dataclass(frozen=True)
class StoredHolder:
    """The holder of a session, once the card's word has been verified and answered."""

    body_digest: str
    """SHA-256 of the exact body that the kiosk sent: the same one gets the same answer."""
    card: CardWord
    """What the issuing server needs to verify everything again."""
    fingerprint: str
    """SHA-256 of the user certificate's DER."""
    generation: str
    serial: int
    municipality: str
    offers: tuple[KindOffer, ...]
    answer: Bytes
    """The exact body of the answer."""


@dataclass(frozen=True)
class StoredSession:
    """All that is known of a live session."""

    opened: OpenedSession
    holder: StoredHolder | None


class Claim(StrEnum):
    """Whether a body may answer a session's challenge."""

    GRANTED = "granted"
    """This body is the one; repeating it is granted again."""
    USED = "used"
    """Another body was first."""
    EXPIRED = "expired"
    """Too late, or the session has ended."""


_OPENED: Final[TypeAdapter[OpenedSession]] = TypeAdapter(OpenedSession)
_HOLDER: Final[TypeAdapter[StoredHolder]] = TypeAdapter(StoredHolder)


class SessionStore:
    """Sessions, each of one kiosk; every method raises SessionsDownError when Redis is down."""

    def __init__(self, client: redis.Redis, clock: Clock, entropy: Entropy) -> None:
        """Keep sessions in a Redis that answers within its own deadline (`REDIS_SECONDS`)."""
        self._redis = client
        self._clock = clock
        self._entropy = entropy
        self._claim = client.register_script(_CLAIM)
        self._keep = client.register_script(_KEEP)
        self._count = client.register_script(_COUNT)

    @classmethod
    def connect(cls, url: str, clock: Clock, entropy: Entropy) -> Self:
        """Reach the Redis at an URL (``unix:///…`` or ``redis://…``); it may be down still."""
        # Once more, at once, when a connection turns out to be dead (Redis was restarted); never
        # after a time-out: whoever waits has waited long enough.
        again = Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,))
        client = redis.Redis.from_url(
            url,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
            retry=again,
        )
        return cls(client, clock, entropy)

    def open(
        self, kiosk: str, layouts: Mapping[Kind, str], outdated: tuple[Kind, ...]
    ) -> OpenedSession:
        """Open a session for a kiosk: a new id and a new challenge."""
        if _KIOSK_ID.fullmatch(kiosk) is None:
            raise ValueError("not a kiosk's id")
        opened = OpenedSession(
            session=self._entropy.token(SESSION_ID_BYTES).hex(),
            kiosk=kiosk,
            challenge=self._entropy.token(CHALLENGE_BYTES),
            layouts=dict(layouts),
            outdated=outdated,
            opened_at=self._clock.now(),
        )

        def act() -> None:
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(
                    _key(opened.session, "opened"), _OPENED.dump_json(opened), ex=SESSION_SECONDS
                )
                pipe.set(_key(opened.session, "fresh"), b"1", ex=CHALLENGE_SECONDS)
                pipe.execute()

        _ask(act)
        return opened

    def find(self, session: str, kiosk: str) -> StoredSession | None:
        """Return a live session of this kiosk; None when unknown, ended or another kiosk's."""
        if _SESSION_ID.fullmatch(session) is None:
            return None
        found = _ask(lambda: self._redis.mget(_key(session, "opened"), _key(session, "holder")))
        opened_json, holder_json = cast("list[bytes | None]", found)
        if opened_json is None:
            return None
        opened = _OPENED.validate_json(opened_json)
        if opened.kiosk != kiosk:
            return None
        holder = None if holder_json is None else _HOLDER.validate_json(holder_json)
        return StoredSession(opened, holder)

    def claim_challenge(self, session: str, body_digest: str) -> Claim:
        """Let one body answer the challenge, within `CHALLENGE_SECONDS`; races have one winner.

        The winner's body may come again as long as the session lives, so that a lost answer can
        be asked for once more. The single use that survives Redis is `store.record_access`.
        """
        keys = [_key(session, part) for part in ("fresh", "claim", "opened")]
        return Claim(_text(_ask(lambda: self._claim(keys=keys, args=[body_digest]))))

    def keep_holder(self, session: str, holder: StoredHolder) -> StoredHolder | None:
        """Keep the holder until the session ends; return the one that stands.

        The first stays: of two workers that answered the same body at the same time, both must
        send the answer of the returned one. None when the session has ended meanwhile.
        """
        keys = [_key(session, part) for part in ("opened", "holder")]
        kept = _ask(lambda: self._keep(keys=keys, args=[_HOLDER.dump_json(holder)]))
        return None if kept is None else _HOLDER.validate_json(cast("bytes", kept))

    def count_order(self, session: str, idempotency_key: str) -> bool:
        """Count an order; False beyond `MAX_ORDERS_PER_SESSION`, or when the session has ended.

        The same idempotency key counts once, however often it comes.
        """
        keys = [_key(session, part) for part in ("opened", "orders")]
        args: list[str | int] = [idempotency_key, MAX_ORDERS_PER_SESSION]
        return bool(_ask(lambda: self._count(keys=keys, args=args)))

    def end(self, session: str) -> None:
        """Forget a session at once."""
        parts = ("opened", "fresh", "claim", "holder", "orders")
        _ask(lambda: self._redis.delete(*(_key(session, part) for part in parts)))

    def ping(self) -> None:
        """Return when Redis answers."""
        _ask(self._redis.ping)


def _key(session: str, part: str) -> str:
    return f"kofu:{{session:{session}}}:{part}"


def _text(value: Any) -> str:
    return value.decode("ascii") if isinstance(value, bytes) else str(value)


def _ask(act: Callable[[], T]) -> T:
    try:
        return act()
    except (
        redis.exceptions.ConnectionError,
        redis.exceptions.TimeoutError,
        redis.exceptions.ReadOnlyError,
        redis.exceptions.OutOfMemoryError,
    ) as error:
        raise SessionsDownError(
            "Redis, which keeps the sessions, does not answer; see that it runs, then begin again"
        ) from error
