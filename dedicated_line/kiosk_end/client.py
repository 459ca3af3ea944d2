"""The kiosk's end: requests over mutual TLS 1.3, each with one deadline."""

import http.client
import select
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from dedicated_line.clock import Clock
from dedicated_line.contract.orders import IDEMPOTENCY_HEADER
from dedicated_line.errors import KofuError
from dedicated_line.kiosk_end.sockets import DeadlineSocket, client_context, connect

SERVER_NAME: Final = "kofu-line"
"""The name in the centre end's certificate, whatever address it is reached at."""
LONGEST_ANSWER: Final = 8 * 1024 * 1024
REPEATABLE: Final = frozenset({"GET", "PUT"})
"""Methods that may be repeated; any other only under its idempotency key."""


class LineLoss(StrEnum):
    """How the line was lost."""

    UNREACHABLE = "unreachable"
    """No connection: nothing of this request was sent."""
    BROKEN = "broken"
    """It broke before the whole answer had come: the request may have been carried out."""
    TIMED_OUT = "timed-out"
    """The deadline passed: the request may have been carried out."""
    UNTRUSTED = "untrusted"
    """One end refuses the other's X.509 certificate; repeating does not help."""


_SENTENCES: Final = {
    LineLoss.UNREACHABLE: "the centre's end of the line cannot be reached; "
    "check the circuit and that 'kofu-line serve' runs",
    LineLoss.BROKEN: "the line broke before the answer had come; "
    "ask for the state before doing it again",
    LineLoss.TIMED_OUT: "the line gave no answer in time; ask for the state before doing it again",
    LineLoss.UNTRUSTED: "the two ends of the line do not accept each other's certificates; "
    "have the operators enrol this kiosk again",
}


class LineLostError(KofuError):
    """The line did not bring an answer; `loss` says how."""

    def __init__(self, loss: LineLoss) -> None:
        super().__init__(_SENTENCES[loss])
        self.loss = loss


@dataclass(frozen=True)
class LineAnswer:
    """An answer that came whole."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


class _Connection:
    """One connection, used by one request at a time."""

    def __init__(self, secure: DeadlineSocket) -> None:
        self.secure = secure
        self._http = http.client.HTTPConnection(SERVER_NAME)
        self._http.auto_open = 0  # never again by itself, and never without TLS
        self._http.sock = secure

    def is_fresh(self) -> bool:
        """Tell whether nothing has come unasked, such as the other end's good-bye."""
        poll = select.poll()
        poll.register(self.secure, select.POLLIN)
        return not poll.poll(0)

    def exchange(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[LineAnswer, bool]:
        """Send a request and read its answer; tell as well whether another may follow."""
        self._http.request(method, path, body=body, headers=dict(headers))
        with self._http.getresponse() as answer:
            if answer.length is None and not answer.chunked:
                raise http.client.HTTPException("an answer whose end cannot be told")
            content = answer.read(LONGEST_ANSWER + 1)
            if len(content) > LONGEST_ANSWER:
                raise http.client.HTTPException("the answer is too long")
            if answer.length:
                raise http.client.IncompleteRead(content, answer.length)
            fields = {name.lower(): value for name, value in answer.getheaders()}
            return LineAnswer(answer.status, fields, content), not answer.will_close

    def close(self) -> None:
        """Close the socket."""
        self._http.close()
        self.secure.close()


class LineClient:
    """The line as a kiosk uses it, from any number of threads.

    Connections are kept open between requests and made anew when they have gone. `clock` gives
    the deadlines their seconds.
    """

    def __init__(
        self, host: str, port: int, certificate: Path, key: Path, ca: Path, clock: Clock
    ) -> None:
        """Read the keys; LineKeysError when they cannot be used."""
        self._address = (host, port)
        self._context = client_context(certificate, key, ca)
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._busy: set[_Connection] = set()
        self._closed = False

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 10.0,
    ) -> LineAnswer:
        """Return the answer, whatever its status.

        A request that may be repeated (GET, PUT, or any under an idempotency key) is repeated by
        itself once, within the same deadline.

        Raises:
            LineLostError: no whole answer came within `seconds`.
        """
        fields = dict(headers or {})
        end = self._clock.monotonic() + seconds

        def remaining() -> float:
            return end - self._clock.monotonic()

        keyed = IDEMPOTENCY_HEADER.lower() in {name.lower() for name in fields}
        tries = 2 if keyed or method in REPEATABLE else 1
        while True:
            tries -= 1
            try:
                return self._once(method, path, body, fields, remaining)
            except LineLostError as lost:
                again = lost.loss in {LineLoss.UNREACHABLE, LineLoss.BROKEN}
                if not (again and tries and remaining() > 0) or self._closed:
                    raise

    def close(self) -> None:
        """Close all connections; requests that go on in other threads end as broken."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = list(self._busy)
        for connection in idle:
            connection.close()
        for connection in busy:
            connection.secure.hang_up()

    def _once(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
        remaining: Callable[[], float],
    ) -> LineAnswer:
        connection = self._take(remaining)
        keep = False
        try:
            connection.secure.remaining = remaining
            answer, keep = connection.exchange(method, path, body, headers)
        except TimeoutError as error:
            raise LineLostError(LineLoss.TIMED_OUT) from error
        except ssl.SSLError as error:
            raise LineLostError(_loss_of(error, LineLoss.BROKEN)) from error
        except (OSError, http.client.HTTPException) as error:
            raise LineLostError(LineLoss.BROKEN) from error
        finally:
            self._give_back(connection, keep=keep)
        return answer

    def _take(self, remaining: Callable[[], float]) -> _Connection:
        while True:
            with self._lock:
                if self._closed:
                    raise LineLostError(LineLoss.UNREACHABLE)
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._open(remaining)
            elif not connection.is_fresh():
                connection.close()
                continue
            with self._lock:
                self._busy.add(connection)
            return connection

    def _open(self, remaining: Callable[[], float]) -> _Connection:
        try:
            return _Connection(connect(self._context, self._address, SERVER_NAME, remaining))
        except ssl.SSLError as error:
            raise LineLostError(_loss_of(error, LineLoss.UNREACHABLE)) from error
        except OSError as error:
            raise LineLostError(LineLoss.UNREACHABLE) from error

    def _give_back(self, connection: _Connection, *, keep: bool) -> None:
        with self._lock:
            self._busy.discard(connection)
            if keep and not self._closed:
                self._idle.append(connection)
                return
        connection.close()


def _loss_of(error: ssl.SSLError, otherwise: LineLoss) -> LineLoss:
    # OpenSSL's reasons: ours (CERTIFICATE_VERIFY_FAILED) and the alerts of the other end.
    reason = (error.reason or "").upper()
    return LineLoss.UNTRUSTED if "CERTIFICATE" in reason or "UNKNOWN_CA" in reason else otherwise
