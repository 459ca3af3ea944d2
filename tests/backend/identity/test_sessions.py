import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
import redis

from backend.identity.errors import SessionsDownError
from backend.identity.sessions import Claim, SessionStore, StoredHolder
from dedicated_line.clock import FixedClock, SystemClock, SystemEntropy
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import CHALLENGE_SECONDS, SESSION_SECONDS, KindOffer

pytestmark = pytest.mark.sockets

NOON = datetime(2026, 6, 15, 3, 0, tzinfo=UTC)
LAYOUTS = {Kind.RESIDENCE_CERTIFICATE: "ab" * 32}
BODY, OTHER_BODY = "11" * 32, "22" * 32


@pytest.fixture
def store(redis_url: str) -> SessionStore:
    return SessionStore.connect(redis_url, FixedClock(NOON), SystemEntropy())


@pytest.fixture
def raw(redis_url: str) -> redis.Redis:
    return redis.Redis.from_url(redis_url, decode_responses=True)


@pytest.fixture
def holder(jpki_world: Any) -> StoredHolder:
    card, generation, serial = jpki_world.card()
    return StoredHolder(
        body_digest=BODY,
        card=jpki_world.word(card),
        fingerprint="cd" * 32,
        generation=generation,
        serial=serial,
        municipality="352012",
        offers=(
            KindOffer(kind=Kind.RESIDENCE_CERTIFICATE, open=True, fee=300),
            KindOffer(
                kind=Kind.RESIDENCE_CERTIFICATE,
                open=False,
                reason=Refusal.NOT_YET_PARTICIPATING,
                opens_at=NOON,
            ),
        ),
        answer=b'{"municipality": "\xe4\xb8\x8b\xe9\x96\xa2"}\x00\xff',
    )


def test_a_session_is_found_again_by_its_kiosk(store: SessionStore) -> None:
    opened = store.open("k000001", LAYOUTS, (Kind.RESIDENCE_CERTIFICATE,))
    assert len(opened.session) == 32
    assert len(opened.challenge) == 32
    found = store.find(opened.session, "k000001")
    assert found is not None
    assert found.opened == opened
    assert found.holder is None


@pytest.mark.parametrize("session", ["", "00" * 16, "*", "x" * 32, "AB" * 16, "../" * 10])
def test_an_id_that_no_session_has_finds_nothing(store: SessionStore, session: str) -> None:
    store.open("k000001", LAYOUTS, ())
    assert store.find(session, "k000001") is None


def test_another_kiosk_does_not_find_the_session(store: SessionStore) -> None:
    opened = store.open("k000001", LAYOUTS, ())
    assert store.find(opened.session, "k000002") is None


def test_everything_that_is_kept_of_a_session_ends_by_itself(
    store: SessionStore, raw: redis.Redis, holder: StoredHolder
) -> None:
    opened = store.open("k000001", LAYOUTS, ())
    store.claim_challenge(opened.session, BODY)
    store.keep_holder(opened.session, holder)
    store.count_order(opened.session, "a" * 16)
    keys = list(raw.scan_iter("*"))
    assert {key.split(":")[-1] for key in keys} == {"opened", "claim", "holder", "orders"}
    for key in keys:
        assert key.startswith("kofu:{session:" + opened.session + "}:")
        assert 0 < raw.ttl(key) <= SESSION_SECONDS


def test_the_challenge_is_good_for_two_minutes(store: SessionStore, raw: redis.Redis) -> None:
    opened = store.open("k000001", LAYOUTS, ())
    fresh = f"kofu:{{session:{opened.session}}}:fresh"
    assert 0 < raw.ttl(fresh) <= CHALLENGE_SECONDS
    raw.pexpire(fresh, 0)
    assert store.claim_challenge(opened.session, BODY) is Claim.EXPIRED


def test_one_body_answers_a_challenge_and_may_be_repeated(store: SessionStore) -> None:
    opened = store.open("k000001", LAYOUTS, ())
    assert store.claim_challenge(opened.session, BODY) is Claim.GRANTED
    assert store.claim_challenge(opened.session, OTHER_BODY) is Claim.USED
    assert store.claim_challenge(opened.session, BODY) is Claim.GRANTED


def test_a_challenge_that_nobody_gave_is_expired(store: SessionStore) -> None:
    assert store.claim_challenge("00" * 16, BODY) is Claim.EXPIRED


def test_of_many_bodies_at_once_exactly_one_answers_the_challenge(store: SessionStore) -> None:
    opened = store.open("k000001", LAYOUTS, ())
    bodies = [f"{number:064x}" for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda body: store.claim_challenge(opened.session, body), bodies))
    assert claims.count(Claim.GRANTED) == 1
    assert claims.count(Claim.USED) == 39


def test_a_holder_comes_back_as_it_was_kept(store: SessionStore, holder: StoredHolder) -> None:
    opened = store.open("k000001", LAYOUTS, ())
    assert store.keep_holder(opened.session, holder) == holder
    found = store.find(opened.session, "k000001")
    assert found is not None
    assert found.holder == holder


def test_of_two_workers_with_the_same_body_both_send_the_first_answer(
    store: SessionStore, holder: StoredHolder
) -> None:
    opened = store.open("k000001", LAYOUTS, ())
    second = replace(holder, answer=b"the second worker's")
    assert store.keep_holder(opened.session, holder) == holder
    assert store.keep_holder(opened.session, second) == holder


def test_a_session_takes_five_orders_and_a_repeated_one_counts_once(store: SessionStore) -> None:
    opened = store.open("k000001", LAYOUTS, ())
    keys = [f"order-key-number-{number}" for number in range(7)]
    assert [store.count_order(opened.session, key) for key in keys] == [True] * 5 + [False] * 2
    assert store.count_order(opened.session, keys[0])


def test_of_orders_at_once_no_more_than_five_are_counted(store: SessionStore) -> None:
    opened = store.open("k000001", LAYOUTS, ())
    keys = [f"order-key-number-{number}" for number in range(30)]
    with ThreadPoolExecutor(8) as pool:
        counted = list(pool.map(lambda key: store.count_order(opened.session, key), keys))
    assert sum(counted) == 5


def test_an_ended_session_is_gone(store: SessionStore, holder: StoredHolder) -> None:
    opened = store.open("k000001", LAYOUTS, ())
    store.keep_holder(opened.session, holder)
    store.end(opened.session)
    assert store.find(opened.session, "k000001") is None
    assert store.keep_holder(opened.session, holder) is None
    assert not store.count_order(opened.session, "order-key-number-1")
    assert store.claim_challenge(opened.session, BODY) is Claim.EXPIRED


def test_an_emptied_redis_ends_sessions_politely(store: SessionStore, raw: redis.Redis) -> None:
    opened = store.open("k000001", LAYOUTS, ())
    raw.flushall()
    raw.script_flush()
    assert store.find(opened.session, "k000001") is None
    assert store.claim_challenge(opened.session, BODY) is Claim.EXPIRED


def test_a_redis_that_died_is_named_in_one_sentence(
    mortal_redis: Any, holder: StoredHolder
) -> None:
    store = SessionStore.connect(mortal_redis.url, FixedClock(NOON), SystemEntropy())
    opened = store.open("k000001", LAYOUTS, ())
    mortal_redis.stop()
    asks: list[Callable[[], object]] = [
        lambda: store.open("k000001", LAYOUTS, ()),
        lambda: store.find(opened.session, "k000001"),
        lambda: store.claim_challenge(opened.session, BODY),
        lambda: store.keep_holder(opened.session, holder),
        lambda: store.count_order(opened.session, "order-key-number-1"),
        lambda: store.end(opened.session),
        store.ping,
    ]
    for ask in asks:
        with pytest.raises(SessionsDownError, match="Redis, which keeps the sessions"):
            ask()


def test_a_redis_that_hangs_counts_as_down_after_two_seconds(mortal_redis: Any) -> None:
    store = SessionStore.connect(mortal_redis.url, FixedClock(NOON), SystemEntropy())
    opened = store.open("k000001", LAYOUTS, ())
    mortal_redis.process.send_signal(signal.SIGSTOP)
    try:
        start = SystemClock().monotonic()
        with pytest.raises(SessionsDownError):
            store.find(opened.session, "k000001")
        assert SystemClock().monotonic() - start < 4
    finally:
        mortal_redis.process.send_signal(signal.SIGCONT)


def test_a_redis_that_was_restarted_serves_the_next_session(mortal_redis: Any) -> None:
    store = SessionStore.connect(mortal_redis.url, FixedClock(NOON), SystemEntropy())
    opened = store.open("k000001", LAYOUTS, ())
    mortal_redis.restart()
    assert store.find(opened.session, "k000001") is None
    assert store.open("k000001", LAYOUTS, ())
