"""Who is let by, and who is told no."""

import json
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from dedicated_line.centre_end.server import CannotListenError, server_context
from dedicated_line.clock import SystemClock, SystemEntropy
from dedicated_line.contract.line import SecurityEventKind
from dedicated_line.enrolment.service import Enrolment
from dedicated_line.kiosk_end.client import LineLoss, LineLostError

pytestmark = pytest.mark.sockets
KIOSK, OTHER_KIOSK = "k000001", "k000002"
CIRCUIT, OTHER_CIRCUIT = "127.1.5.1", "127.1.5.2"
GET = b"GET /v1/keys HTTP/1.1\r\nhost: x\r\n\r\n"


def _answer(secure: ssl.SSLSocket, request: bytes = GET) -> bytes:
    """Return what comes back until the other end closes or a whole answer is there."""
    secure.sendall(request)
    found = b""
    while b"\r\n\r\n" not in found or not _is_whole(found):
        data = secure.recv(65536)
        if not data:
            break
        found += data
    return found


def _is_turned_away(secure: ssl.SSLSocket) -> bool:
    """Tell whether not one byte of HTTP comes back: in TLS 1.3 the client learns it late."""
    try:
        return _answer(secure) == b""
    except (ssl.SSLError, ConnectionError):
        return True


def _is_whole(data: bytes) -> bool:
    head, _, body = data.partition(b"\r\n\r\n")
    for part in head.split(b"\r\n"):
        if part.lower().startswith(b"content-length:"):
            return len(body) >= int(part.split(b":")[1])
    return True


def _event(line: Any, kind: SecurityEventKind, eventually: Any) -> Any:
    return eventually(lambda: [each for each in line.redis.security_events() if each.kind is kind])[
        0
    ]


def test_a_kiosk_on_its_circuit_reaches_the_kiosk_api_under_its_name(line: Any) -> None:
    _, port = line.wire()
    answer = line.client(port).request(
        "POST",
        "/v1/sessions",
        b'{"contract":1}',
        {
            "Content-Type": "application/json",
            "Kofu-Signature": "c2ln",
            "Idempotency-Key": "0123456789abcdef",
            "X-Forwarded-For": "10.0.0.1",
        },
    )
    assert answer.status == 200
    head, _, body = answer.body.partition(b"\r\n\r\n")
    assert body == b'{"contract":1}'
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/sessions HTTP/1.1"
    assert sorted(lines[1:]) == [
        f"Kofu-Circuit: {CIRCUIT}",
        f"Kofu-Kiosk: {KIOSK}",
        "content-length: 14",
        "content-type: application/json",
        "host: kiosk-api",
        "idempotency-key: 0123456789abcdef",
        "kofu-signature: c2ln",
    ]


def test_a_stranger_without_a_certificate_gets_nowhere(
    line: Any, raw: Any, eventually: Any
) -> None:
    assert _is_turned_away(raw(None))
    assert _event(line, SecurityEventKind.NO_CERTIFICATE, eventually).source == CIRCUIT
    assert line.api.received == []


def test_a_certificate_of_another_ca_gets_nowhere(
    line: Any, raw: Any, eventually: Any, tmp_path: Path
) -> None:
    stranger = Enrolment(tmp_path / "l", tmp_path / "k", SystemClock(), SystemEntropy())
    stranger.init_ca()
    stranger.add_kiosk(KIOSK, CIRCUIT, "")
    assert _is_turned_away(raw(tmp_path / "k" / KIOSK))
    _event(line, SecurityEventKind.UNKNOWN_CERTIFICATE, eventually)
    assert line.api.received == []


def test_the_line_speaks_nothing_older_than_tls_1_3(line: Any, raw: Any, eventually: Any) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol"):
        raw(line.keys(KIOSK), newest=ssl.TLSVersion.TLSv1_2)
    _event(line, SecurityEventKind.MALFORMED, eventually)


def test_bytes_that_are_no_handshake_are_refused(line: Any, eventually: Any) -> None:
    with socket.create_connection(("127.0.0.1", line.port), timeout=15) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n" * 100)
        try:
            rest = plain.recv(100)
        except ConnectionResetError:
            rest = b""
    assert b"HTTP" not in rest
    _event(line, SecurityEventKind.MALFORMED, eventually)


def test_the_right_certificate_on_the_wrong_circuit_is_refused(
    line: Any, raw: Any, eventually: Any
) -> None:
    answer = _answer(raw(line.keys(OTHER_KIOSK), circuit=CIRCUIT))
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "not-a-kiosk"
    event = _event(line, SecurityEventKind.WRONG_CIRCUIT, eventually)
    assert (event.source, event.kiosk) == (CIRCUIT, OTHER_KIOSK)
    assert line.api.received == []


def test_a_revoked_kiosk_is_refused_on_its_open_connection(line: Any, eventually: Any) -> None:
    _, port = line.wire()
    client = line.client(port)
    assert client.request("GET", "/v1/keys").status == 200
    line.enrolment.revoke(KIOSK)
    assert client.request("GET", "/v1/keys").status == 403
    assert _event(line, SecurityEventKind.REVOKED, eventually).kiosk == KIOSK
    assert len(line.api.received) == 1


def test_a_kiosk_enrolled_again_is_known_by_its_new_certificate_alone(
    line: Any, raw: Any, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    old.mkdir()
    for name in ("line.pem", "line.key"):
        (old / name).write_bytes((line.keys(KIOSK) / name).read_bytes())
    line.enrolment.add_kiosk(KIOSK, CIRCUIT, "駅前店", again=True)
    assert _answer(raw(old)).startswith(b"HTTP/1.1 403 ")
    assert _answer(raw(line.keys(KIOSK))).startswith(b"HTTP/1.1 200 ")


def test_a_register_that_cannot_be_read_admits_nobody(line: Any, raw: Any) -> None:
    line.enrolment.register_file.write_text("{")
    assert _answer(raw(line.keys(KIOSK))).startswith(b"HTTP/1.1 403 ")
    assert any("no kiosk is admitted" in report for report in line.reports)


def test_a_forged_identity_header_is_stripped_and_reported(
    line: Any, raw: Any, eventually: Any
) -> None:
    for name in (b"Kofu-Kiosk", b"KOFU-CIRCUIT", b"Kofu_Kiosk"):
        request = b"GET /v1/keys HTTP/1.1\r\nhost: x\r\n" + name + b": k999999\r\n\r\n"
        assert _answer(raw(line.keys(KIOSK)), request).startswith(b"HTTP/1.1 200 ")
    assert all(b"k999999" not in request for request in line.api.received)
    assert all(b"Kofu-Kiosk: k000001\r\n" in request for request in line.api.received)
    eventually(
        lambda: (
            [each.kind for each in line.redis.security_events()]
            == [SecurityEventKind.FORGED_HEADER] * 3
        )
    )


def test_the_kiosks_end_says_when_the_ends_do_not_trust_each_other(
    line: Any, tmp_path: Path
) -> None:
    stranger = Enrolment(tmp_path / "l", tmp_path / "k", SystemClock(), SystemEntropy())
    stranger.init_ca()
    stranger.add_kiosk(KIOSK, CIRCUIT, "")
    _, port = line.wire()
    keys = line.keys(KIOSK)
    (keys / "line-ca.pem").write_bytes((tmp_path / "l" / "ca.pem").read_bytes())
    with pytest.raises(LineLostError, match="enrol") as lost:
        line.client(port).request("GET", "/v1/keys")
    assert lost.value.loss is LineLoss.UNTRUSTED


def test_the_centres_end_without_a_ca_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CannotListenError, match="ca init"):
        server_context(tmp_path)
