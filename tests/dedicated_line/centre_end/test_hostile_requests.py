"""Malformed, oversized, slow and smuggled requests: refused by themselves, others served on."""

import json
import socket
import ssl
from typing import Any

import pytest

from dedicated_line.contract.line import SecurityEventKind
from dedicated_line.kiosk_end.client import LineClient

pytestmark = pytest.mark.sockets
KIOSK = "k000001"
HOST = b"host: x\r\n"
SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\n" + HOST + b"\r\n"


def _all(secure: ssl.SSLSocket) -> bytes:
    """Return everything until the other end closes."""
    found = b""
    while True:
        try:
            data = secure.recv(65536)
        except (ssl.SSLEOFError, ConnectionError):
            return found
        if not data:
            return found
        found += data


def _kinds(line: Any) -> list[SecurityEventKind]:
    return [event.kind for event in line.redis.security_events()]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (
            b"POST /v1/x HTTP/1.1\r\ncontent-length: 0\r\ncontent-length: 47\r\n\r\n" + SMUGGLED,
            400,
        ),
        (
            b"POST /v1/x HTTP/1.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n"
            b"0\r\n\r\n" + SMUGGLED,
            400,
        ),
        (
            b"POST /v1/x HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
            411,
        ),
        (b"POST /v1/x HTTP/1.1\r\ntransfer-encoding: xchunked\r\n\r\n" + SMUGGLED, 411),
        (b"POST /v1/x HTTP/1.1\r\ncontent-length: +3\r\n\r\nabc", 400),
        (b"POST /v1/x HTTP/1.1\r\ncontent-length : 3\r\n\r\nabc", 400),
        (b"GET http://elsewhere/v1/x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET //elsewhere/v1/x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /v1/x HTTP/1.1\r\na: b\r\n folded: c\r\n\r\n", 400),
        (b"GET /v1/x HTTP/1.1\na: b\n\n", 400),
        (b"GET /v1/x HTTP/1.1\r\na: b\x00c\r\n\r\n", 400),
        (b"GET /v1/x HTTP/1.0\r\n\r\n", 505),
        (b"DELETE /v1/x HTTP/1.1\r\n" + HOST + b"\r\n", 405),
        (b"CONNECT x:1 HTTP/1.1\r\n" + HOST + b"\r\n", 405),
        (b"GET /v1/x HTTP/1.1\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n", 400),
        (b"POST /v1/x HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n", 417),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00" * 10, 400),
    ],
    ids=lambda value: None if isinstance(value, int) else repr(value[:60]),
)
def test_a_request_in_a_form_that_two_servers_could_read_differently_is_refused(
    line: Any, raw: Any, eventually: Any, request_bytes: bytes, status: int
) -> None:
    secure = raw(line.keys(KIOSK))
    secure.sendall(request_bytes)
    answer = _all(secure)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.count(b"content-length: ") == 1
    assert b"connection: close" in answer
    assert line.api.received == []
    assert eventually(lambda: _kinds(line)) == [SecurityEventKind.MALFORMED]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /v1/x HTTP/1.1\r\na: " + b"b" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /v1/x HTTP/1.1\r\na: " + b"b" * 40_000, 431),
        (b"GET /v1/" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET /v1/x HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"POST /v1/x HTTP/1.1\r\ncontent-length: 262145\r\n\r\n", 413),
        (b"POST /v1/x HTTP/1.1\r\ncontent-length: 104857600\r\n\r\n" + b"x" * 1_000_000, 413),
    ],
    ids=["header", "header without end", "path", "fields", "body", "100 MB body"],
)
def test_a_request_larger_than_the_limits_is_refused_before_it_is_read(
    line: Any, raw: Any, request_bytes: bytes, status: int
) -> None:
    secure = raw(line.keys(KIOSK))
    secure.sendall(request_bytes)
    answer = _all(secure)
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too-large"
    assert line.api.received == []


def test_the_largest_body_passes(line: Any) -> None:
    _, port = line.wire()
    answer = line.client(port).request("PUT", "/v1/x", b"x" * 256 * 1024)
    assert answer.status == 200
    assert answer.body.count(b"x") > 256 * 1024


def test_requests_sent_ahead_are_answered_in_order(line: Any, raw: Any) -> None:
    secure = raw(line.keys(KIOSK))
    secure.sendall(
        b"".join(b"GET /v1/%d HTTP/1.1\r\n" % number + HOST + b"\r\n" for number in range(3))
        + b"GET /v1/3 HTTP/1.1\r\nconnection: close\r\n\r\n"
    )
    answer = _all(secure)
    places = [answer.index(b"GET /v1/%d " % number) for number in range(4)]
    assert places == sorted(places)


def test_a_flood_of_requests_sent_ahead_is_refused(line: Any, raw: Any, eventually: Any) -> None:
    secure = raw(line.keys(KIOSK))
    secure.sendall((b"GET /v1/x HTTP/1.1\r\n" + HOST + b"\r\n") * 200)
    assert b"HTTP/1.1 429 " in _all(secure)
    eventually(lambda: SecurityEventKind.FLOOD in _kinds(line))


def test_silent_clients_are_sent_away_and_block_nobody(
    line: Any, raw: Any, eventually: Any
) -> None:
    silent = [socket.create_connection(("127.0.0.1", line.port), timeout=15) for _ in range(100)]
    waiting = raw(line.keys(KIOSK))
    waiting.sendall(b"GET /v1/x HTTP/1.1\r\na: ")
    _, port = line.wire()
    client: LineClient = line.client(port)
    for _ in range(20):
        assert client.request("GET", "/v1/keys", seconds=1.0).status == 200
    assert _all(waiting).startswith(b"HTTP/1.1 408 ")
    for plain in silent:
        with plain:
            assert plain.recv(100) == b""
    eventually(lambda: _kinds(line).count(SecurityEventKind.SLOW_CLIENT) == 101)


def test_a_body_that_does_not_come_in_time_is_refused(line: Any, raw: Any) -> None:
    secure = raw(line.keys(KIOSK))
    secure.sendall(b"POST /v1/x HTTP/1.1\r\ncontent-length: 10\r\n\r\nabc")
    assert _all(secure).startswith(b"HTTP/1.1 408 ")
    assert line.api.received == []


def test_nothing_that_a_client_sent_stands_in_reports_or_events(
    line: Any, raw: Any, eventually: Any
) -> None:
    secure = raw(line.keys(KIOSK))
    session = b"0123456789abcdef0123456789abcdef"
    secure.sendall(b"POST /v1/sessions/" + session + b"/orders HTTP/1.1\r\nKofu-Kiosk: x\r\n")
    secure.sendall(b"content-length: 3\r\n\r\nabcBAD " + session + b"\r\n\r\n")
    _all(secure)
    eventually(lambda: len(_kinds(line)) == 2)
    written = "\n".join(line.reports) + str(line.redis.security_events())
    assert session.decode() not in written
    assert "abc" not in written
