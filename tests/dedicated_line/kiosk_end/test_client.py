"""The kiosk's end: one deadline, a clear word when the line is lost, nothing done twice."""

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from dedicated_line.clock import SystemClock
from dedicated_line.kiosk_end.client import LineClient, LineLoss, LineLostError
from dedicated_line.kiosk_end.sockets import LineKeysError
from dedicated_line.simulated.profiles import Direction, Fault, FaultKind

pytestmark = pytest.mark.sockets
CIRCUIT = "127.1.5.1"
KEY = {"Idempotency-Key": "0123456789abcdef"}


def _posts(line: Any) -> int:
    return sum(request.startswith(b"POST") for request in line.api.received)


def test_nobody_at_the_other_end_is_said_at_once(line: Any) -> None:
    with socket.create_server((CIRCUIT, 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(LineLostError, match="cannot be reached") as lost:
        line.client(port).request("POST", "/v1/sessions", b"{}")
    assert lost.value.loss is LineLoss.UNREACHABLE


def test_an_end_that_never_shakes_hands_costs_no_more_than_the_deadline(line: Any) -> None:
    clock = SystemClock()
    with socket.create_server((CIRCUIT, 0)) as silent:
        client = line.client(silent.getsockname()[1])
        began = clock.monotonic()
        with pytest.raises(LineLostError) as lost:
            client.request("GET", "/v1/keys", seconds=0.5)
        assert 0.4 < clock.monotonic() - began < 1.5
    assert lost.value.loss is LineLoss.UNREACHABLE


def test_an_answer_that_trickles_ends_at_the_deadline(line: Any) -> None:
    _, port = line.wire()
    line.api.answer = lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc"
    clock = SystemClock()
    began = clock.monotonic()
    with pytest.raises(LineLostError, match="in time") as lost:
        line.client(port).request("POST", "/v1/sessions", b"{}", seconds=0.7)
    assert 0.6 < clock.monotonic() - began < 1.7
    assert lost.value.loss is LineLoss.TIMED_OUT


def test_a_post_without_a_key_is_never_repeated(line: Any) -> None:
    wire, port = line.wire()
    client = line.client(port)
    assert client.request("GET", "/v1/keys").status == 200
    client.close()
    client = line.client(port)
    wire.plan(CIRCUIT, Fault(FaultKind.CUT, Direction.DOWN, 2500))
    line.api.answer = lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n" + b"x" * 9000
    with pytest.raises(LineLostError, match="broke") as lost:
        client.request("POST", "/v1/sessions", b"{}")
    assert lost.value.loss is LineLoss.BROKEN
    assert _posts(line) == 1


def test_a_post_under_its_key_is_repeated_once(line: Any) -> None:
    wire, port = line.wire()
    client = line.client(port)
    line.api.answer = lambda _: b"HTTP/1.1 200 OK\r\ncontent-length: 9000\r\n\r\n" + b"x" * 9000
    wire.plan(CIRCUIT, Fault(FaultKind.CUT, Direction.DOWN, 2500))
    assert client.request("POST", "/v1/sessions", b"{}", KEY).status == 200
    assert _posts(line) == 2
    client.close()
    client = line.client(port)
    for _ in range(2):
        wire.plan(CIRCUIT, Fault(FaultKind.CUT, Direction.DOWN, 2500))
    with pytest.raises(LineLostError):
        client.request("POST", "/v1/sessions", b"{}", KEY)
    assert _posts(line) == 4
    assert client.request("POST", "/v1/sessions", b"{}").status == 200


def test_a_connection_that_ended_between_requests_is_made_anew(line: Any) -> None:
    wire, port = line.wire()
    client = line.client(port)
    assert client.request("GET", "/v1/keys").status == 200
    for kind in (FaultKind.CUT, FaultKind.RESET):
        line.loop.call(lambda kind=kind: wire.strike(kind))
        line.loop.call(lambda: None)
        answer = client.request("PUT", "/v1/sessions/1/holder", b"{}")
        assert answer.status == 200


def test_threads_share_a_client(line: Any) -> None:
    _, port = line.wire()
    client = line.client(port)
    found: list[bytes] = []

    def ask(number: int) -> None:
        for _ in range(10):
            body = f"thread {number}".encode()
            answer = client.request("PUT", "/v1/x", body)
            found.append(answer.body.partition(b"\r\n\r\n")[2] == body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [True] * 40


def test_closing_ends_what_is_held_in_another_thread(line: Any, eventually: Any) -> None:
    _, port = line.wire()
    client = line.client(port)
    lost: list[LineLoss] = []

    def hold() -> None:
        try:
            client.request("GET", "/v1/events?after=0-1", seconds=30.0)
        except LineLostError as error:
            lost.append(error.loss)

    holding = threading.Thread(target=hold)
    holding.start()
    eventually(lambda: client._busy)
    client.close()
    holding.join(5)
    assert lost
    assert lost[0] in {LineLoss.BROKEN, LineLoss.UNREACHABLE}
    with pytest.raises(LineLostError):
        client.request("GET", "/v1/keys")


def test_missing_keys_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LineKeysError, match="kiosk add"):
        LineClient(
            CIRCUIT,
            1,
            tmp_path / "line.pem",
            tmp_path / "line.key",
            tmp_path / "line-ca.pem",
            SystemClock(),
        )
