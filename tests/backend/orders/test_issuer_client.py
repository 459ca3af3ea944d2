"""The issuing server over its socket: answers, refusals, silence, nonsense."""

import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest

from backend.orders.errors import IssuerRefusedError, IssuerUnavailableError
from backend.orders.issuer_client import IssuerClient
from dedicated_line.clock import SystemClock
from dedicated_line.contract.issuing import Confirm, Confirmed
from dedicated_line.contract.problems import ProblemCode, problem
from dedicated_line.contract.refusals import Refusal

pytestmark = pytest.mark.sockets
QUESTION = Confirm(order="0" * 32, municipality="352012")


def http(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


@contextmanager
def issuer(talk: Callable[[socket.socket], None]) -> Iterator[IssuerClient]:
    """Let one connection be answered by `talk`, which gets it once the request was read."""
    with tempfile.TemporaryDirectory(prefix="kofu-") as folder:
        path = Path(folder) / "issuer.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen()

            def serve() -> None:
                connection, _ = listener.accept()
                with connection:
                    read = b""
                    while not read.endswith(QUESTION.to_json()):
                        read += connection.recv(4096)
                    talk(connection)

            thread = Thread(target=serve)
            thread.start()
            yield IssuerClient(path, SystemClock(), deadline=0.5)
            thread.join(10)


def answering(status: int, body: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(http(status, body))


def test_an_answer_is_read() -> None:
    said = Confirmed(unchanged=True, record_version=3)
    with issuer(answering(200, said.to_json())) as client:
        assert client.confirm(QUESTION) == said


@pytest.mark.parametrize("refusal", [Refusal.COUNTER, Refusal.UNAVAILABLE])
def test_a_refusal_is_typed(refusal: Refusal) -> None:
    body = problem(ProblemCode.REFUSED, 403, "No.", refusal=refusal).to_json()
    with issuer(answering(403, body)) as client, pytest.raises(IssuerRefusedError) as caught:
        client.confirm(QUESTION)
    assert caught.value.refusal is refusal


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, problem(ProblemCode.INTERNAL, 500, "Oh.").to_json()),
        (200, b"{}"),
        (200, b""),
        (404, b"<html>"),
    ],
)
def test_whatever_is_no_answer_is_unavailable(status: int, body: bytes) -> None:
    with issuer(answering(status, body)) as client, pytest.raises(IssuerUnavailableError):
        client.confirm(QUESTION)


def test_silence_ends_at_the_deadline() -> None:
    heard = Event()
    with issuer(lambda _connection: heard.wait(10) and None) as client:
        with pytest.raises(IssuerUnavailableError):
            client.confirm(QUESTION)
        heard.set()


def test_bytes_that_drip_end_at_the_deadline() -> None:
    heard = Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n")
        while not heard.wait(0.1):
            connection.sendall(b"x")

    with issuer(drip) as client:
        with pytest.raises(IssuerUnavailableError):
            client.confirm(QUESTION)
        heard.set()


def test_an_answer_cut_in_the_middle_is_unavailable() -> None:
    cut = http(200, Confirmed(unchanged=True, record_version=3).to_json())[:-5]
    with (
        issuer(lambda connection: connection.sendall(cut)) as client,
        pytest.raises(IssuerUnavailableError),
    ):
        client.confirm(QUESTION)


def test_nobody_there_is_unavailable(tmp_path: Path) -> None:
    client = IssuerClient(tmp_path / "none.sock", SystemClock())
    with pytest.raises(IssuerUnavailableError, match="see that it runs"):
        client.confirm(QUESTION)
