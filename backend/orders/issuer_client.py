"""The issuing server as the centre reaches it: HTTP on a Unix socket, with a deadline."""

import http.client
import logging
import socket
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar

from pydantic import ValidationError

from backend.orders.errors import IssuerRefusedError, IssuerUnavailableError
from dedicated_line.clock import Clock
from dedicated_line.contract.issuing import (
    Compose,
    Composed,
    Confirm,
    Confirmed,
    HolderIdentified,
    IdentifyHolder,
)
from dedicated_line.contract.message import Message
from dedicated_line.contract.problems import Problem, ProblemCode

M = TypeVar("M", bound=Message)
DEADLINE_SECONDS: Final = 5.0
"""For the whole of one question; composing the largest household takes well under one second."""
CONFIRM_SECONDS: Final = 3.0
"""For a question that is asked with the participation row locked."""
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024
_CHUNK: Final = 64 * 1024
_log = logging.getLogger(__name__)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket, every read of which ends at one common deadline."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("issuer", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class IssuerClient:
    """Asks one issuing server; adapter of `service.Issuer`."""

    def __init__(self, path: Path, clock: Clock, deadline: float = DEADLINE_SECONDS) -> None:
        """Reach the issuing server on a Unix socket."""
        self._path = path
        self._clock = clock
        self._deadline = deadline

    def identify(self, question: IdentifyHolder) -> HolderIdentified:
        """Return the personal part of a session, sealed to its receiving key."""
        return self._ask("/v1/holders", question, HolderIdentified, self._deadline)

    def compose(self, question: Compose) -> Composed:
        """Return the sealed certificate; asking again for the same order gives the same."""
        return self._ask("/v1/compositions", question, Composed, self._deadline)

    def confirm(self, question: Confirm) -> Confirmed:
        """Tell whether everybody on the paper may still have it."""
        seconds = min(CONFIRM_SECONDS, self._deadline)
        return self._ask("/v1/confirmations", question, Confirmed, seconds)

    def _ask(self, path: str, question: Message, answer: type[M], seconds: float) -> M:
        end = self._clock.monotonic() + seconds
        connection = _UnixConnection(self._path, seconds)
        try:
            connection.request(
                "POST", path, question.to_json(), {"Content-Type": "application/json"}
            )
            response = connection.getresponse()
            body = self._read(connection, response, end)
        except (OSError, http.client.HTTPException) as error:
            raise IssuerUnavailableError(
                f"the issuing server does not answer ({type(error).__name__}); see that it runs"
            ) from error
        finally:
            connection.close()
        if response.status == HTTPStatus.OK:
            return _read_message(lambda: answer.model_validate_json(body))
        raise _fault(path, response.status, body)

    def _read(
        self, connection: _UnixConnection, response: http.client.HTTPResponse, end: float
    ) -> bytes:
        body = b""
        while len(body) <= MAX_ANSWER_BYTES:
            left = end - self._clock.monotonic()
            if left <= 0:
                raise TimeoutError
            if connection.sock is not None:
                connection.sock.settimeout(left)
            part = response.read1(_CHUNK)
            if not part:
                return body
            body += part
        raise IssuerUnavailableError("the issuing server's answer is too long; look into its log")


def _read_message(read: Callable[[], M]) -> M:
    try:
        return read()
    except ValidationError as error:
        raise IssuerUnavailableError(
            "the issuing server's answer is not of this contract; compare the versions"
        ) from error


def _fault(path: str, status: int, body: bytes) -> IssuerRefusedError | IssuerUnavailableError:
    """Return the error for an answer that is not a success."""
    found = _read_message(lambda: Problem.model_validate_json(body))
    if found.code is ProblemCode.REFUSED and found.refusal is not None:
        return IssuerRefusedError(found.refusal)
    _log.warning("the issuing server answers %s with %d %s", path, status, found.code.value)
    return IssuerUnavailableError(
        f"the issuing server answers {status} {found.code.value}; look into its log"
    )
