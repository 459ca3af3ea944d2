"""Heartbeats go up to Redis, events come down from it, and traffic goes on without it."""

import json
import threading
from datetime import UTC, datetime
from typing import Any

import pytest

from dedicated_line.clock import SystemClock
from dedicated_line.contract.line import (
    EVENTS_STREAM,
    KIOSK_STATES_KEY,
    Health,
    Heartbeat,
    KioskState,
    LineEvent,
    LineEventKind,
    LineEvents,
    PartHealth,
)

pytestmark = pytest.mark.sockets
KIOSK, CIRCUIT = "k000001", "127.1.5.1"
READY = PartHealth(health=Health.READY)
HEARTBEAT = Heartbeat(
    software="0.1.0",
    reader=READY,
    printer=READY,
    coins=READY,
    paper=PartHealth(health=Health.WARNING, detail="near end"),
    state="idle",
)
STOP = LineEvent(
    kind=LineEventKind.STOPPED, municipality="352012", at=datetime(2026, 1, 5, tzinfo=UTC)
)


def _state(line: Any) -> KioskState | None:
    with line.redis.client() as client:
        found = client.hget(KIOSK_STATES_KEY, KIOSK)
    return KioskState.model_validate_json(found) if found else None


def _publish(line: Any, event: LineEvent = STOP) -> str:
    with line.redis.client() as client:
        return str(client.xadd(EVENTS_STREAM, {"event": event.model_dump_json()}))


def test_a_heartbeat_becomes_the_kiosks_newest_state(line: Any, eventually: Any) -> None:
    _, port = line.wire()
    client = line.client(port)
    before = SystemClock().real_now()
    assert client.request("POST", "/v1/heartbeat", HEARTBEAT.to_json()).status == 204
    state = eventually(lambda: (found := _state(line)) and found.heartbeat and found)
    assert (state.kiosk, state.circuit, state.connected) == (KIOSK, CIRCUIT, True)
    assert state.heartbeat == HEARTBEAT
    assert before <= state.seen_at <= SystemClock().real_now()
    assert line.api.received == []


def test_a_kiosk_that_hangs_up_is_shown_as_gone_with_its_last_heartbeat(
    line: Any, eventually: Any
) -> None:
    _, port = line.wire()
    client = line.client(port)
    client.request("POST", "/v1/heartbeat", HEARTBEAT.to_json())
    client.close()
    state = eventually(lambda: (found := _state(line)) and not found.connected and found)
    assert state.heartbeat == HEARTBEAT


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"software":1}', b"\xff" * 100])
def test_something_else_than_a_heartbeat_is_refused(line: Any, body: bytes) -> None:
    _, port = line.wire()
    answer = line.client(port).request("POST", "/v1/heartbeat", body)
    assert (answer.status, json.loads(answer.body)["code"]) == (400, "malformed")


def test_the_first_question_for_events_says_from_where_to_ask_on(
    line: Any, eventually: Any
) -> None:
    event_id = _publish(line)
    _, port = line.wire()
    client = line.client(port)
    last = eventually(lambda: (found := _ask(client)).last == event_id and found)
    assert last.events == ()


def _ask(client: Any, after: str | None = None) -> LineEvents:
    answer = client.request("GET", "/v1/events" + (f"?after={after}" if after else ""))
    assert answer.status == 200
    return LineEvents.model_validate_json(answer.body)


def test_a_held_question_is_answered_when_something_happens(line: Any, eventually: Any) -> None:
    _, port = line.wire()
    client = line.client(port)
    answers: list[LineEvents] = []
    start = _ask(client).last
    clock = SystemClock()
    asking = threading.Thread(target=lambda: answers.append(_ask(client, start)))
    asking.start()
    began = clock.monotonic()
    event_id = _publish(line)
    asking.join(10)
    assert clock.monotonic() - began < 1.0
    assert answers == [LineEvents(last=event_id, events=(STOP,))]
    second = _publish(line)
    both = eventually(lambda: len((found := _ask(client, start)).events) == 2 and found)
    assert both.last == second
    assert _ask(client, event_id).events == (STOP,)


def test_a_held_question_ends_without_events_when_nothing_happens(line: Any) -> None:
    _, port = line.wire()
    assert _ask(line.client(port), "5-0") == LineEvents(last="5-0", events=())


@pytest.mark.parametrize("query", ["after=x", "after=", "after=1", "before=1-0", "after=1-0&x=1"])
def test_a_question_for_events_in_another_form_is_refused(line: Any, query: str) -> None:
    _, port = line.wire()
    assert line.client(port).request("GET", f"/v1/events?{query}").status == 400


def test_an_event_that_is_none_of_the_contract_is_left_out(line: Any, eventually: Any) -> None:
    with line.redis.client() as client:
        client.xadd(EVENTS_STREAM, {"event": '{"kind":"surprise"}'})
    event_id = _publish(line)
    _, port = line.wire()
    kiosk = line.client(port)
    found = eventually(lambda: (answer := _ask(kiosk, "0-1")).events and answer)
    assert found == LineEvents(last=event_id, events=(STOP,))


def test_without_redis_requests_pass_and_heartbeats_wait(line: Any, eventually: Any) -> None:
    _, port = line.wire()
    client = line.client(port)
    assert client.request("GET", "/v1/keys").status == 200
    line.redis.kill()
    for _ in range(5):
        assert client.request("GET", "/v1/keys", seconds=1.0).status == 200
    assert client.request("POST", "/v1/heartbeat", HEARTBEAT.to_json(), seconds=1.0).status == 204
    assert _ask(client, "0-1").events == ()
    eventually(lambda: any("Redis does not answer" in each for each in line.reports))
    line.redis.start()
    state = eventually(lambda: (found := _state(line)) and found.heartbeat and found)
    assert state.heartbeat == HEARTBEAT
    event_id = _publish(line)
    assert eventually(lambda: (answer := _ask(client, "0-1")).events and answer).last == event_id
