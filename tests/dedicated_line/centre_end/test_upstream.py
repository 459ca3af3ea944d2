"""The kiosk API behind the line: down, slow, restarted, breaking off; and a graceful end."""

import asyncio
import json
import threading
from typing import Any

import pytest

from dedicated_line.kiosk_end.client import LineLostError

pytestmark = pytest.mark.sockets


def _problem(body: bytes) -> tuple[str, bool]:
    found = json.loads(body)
    return found["code"], found["retryable"]


def test_a_kiosk_api_that_is_down_is_a_problem_that_may_be_repeated(line: Any) -> None:
    _, port = line.wire()
    line.loop.run(line.api.stop())
    answer = line.client(port).request("POST", "/v1/sessions", b"{}")
    assert answer.status == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert _problem(answer.body) == ("unavailable", True)


def test_a_kiosk_api_that_was_restarted_is_found_again(line: Any) -> None:
    _, port = line.wire()
    client = line.client(port)
    assert client.request("GET", "/v1/keys").status == 200
    line.loop.run(line.api.stop())
    assert client.request("GET", "/v1/keys").status == 503
    line.loop.run(line.api.start())
    assert client.request("POST", "/v1/sessions", b"{}").status == 200


def test_a_kiosk_api_that_breaks_off_is_asked_only_once_for_a_post_without_key(
    line: Any,
) -> None:
    _, port = line.wire()
    client = line.client(port)
    assert client.request("GET", "/v1/keys").status == 200
    line.api.answer = lambda _: None
    answer = client.request("POST", "/v1/sessions", b"{}")
    assert (answer.status, _problem(answer.body)) == (502, ("unavailable", True))
    assert len(line.api.received) == 2


def test_a_kiosk_api_that_does_not_answer_in_time_is_given_up(line: Any) -> None:
    _, port = line.wire()
    line.api.answer = lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"
    answer = line.client(port).request("GET", "/v1/keys", seconds=10.0)
    assert (answer.status, _problem(answer.body)) == (504, ("unavailable", True))


@pytest.mark.parametrize(
    "answer",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\n" + b"x" * 9_000_000,
    ],
    ids=["nonsense", "two lengths", "too long"],
)
def test_an_answer_that_is_none_is_not_passed_on(line: Any, answer: bytes) -> None:
    _, port = line.wire()
    line.api.answer = lambda _: answer
    assert line.client(port).request("GET", "/v1/keys").status == 502


def test_answers_pass_with_their_status_and_headers(line: Any) -> None:
    _, port = line.wire()
    line.api.answer = lambda _: (
        b'HTTP/1.1 200 OK\r\nETag: "1"\r\nConnection: keep-alive\r\n'
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    )
    answer = line.client(port).request("GET", "/v1/keys")
    assert (answer.status, answer.body, answer.headers["etag"]) == (200, b"abc", '"1"')
    assert "transfer-encoding" not in answer.headers
    line.api.answer = lambda _: b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n'
    assert line.client(port).request("GET", "/v1/keys").status == 304


def test_what_is_in_hand_is_answered_before_the_line_ends(line: Any, eventually: Any) -> None:
    _, port = line.wire()
    client, idle = line.client(port), line.client(port)
    assert idle.request("GET", "/v1/keys").status == 200
    answers: list[int] = []

    def ask() -> None:
        answers.append(client.request("GET", "/v1/events?after=0-0").status)

    asking = threading.Thread(target=ask)
    asking.start()
    eventually(lambda: any(b"keys" in each for each in line.api.received))
    line.loop.run(_moment(0.3))
    line.stop()
    asking.join(10)
    assert answers == [200]
    with pytest.raises(LineLostError):
        idle.request("GET", "/v1/keys")


async def _moment(seconds: float) -> None:
    try:
        await asyncio.wait_for(asyncio.Event().wait(), seconds)
    except TimeoutError:
        return
