"""What a request and an answer are at the line, and how long and how large they may be."""

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from dedicated_line.contract.line import (
    CIRCUIT_HEADER,
    KIOSK_HEADER,
    SecurityEventKind,
)
from dedicated_line.contract.orders import IDEMPOTENCY_HEADER
from dedicated_line.contract.problems import MEDIA_TYPE, ProblemCode, problem

METHODS: Final = frozenset({"GET", "POST", "PUT"})
IDENTITY_HEADERS: Final = frozenset({KIOSK_HEADER.lower(), CIRCUIT_HEADER.lower()})
FORWARDED_HEADERS: Final = frozenset(
    {"accept", "accept-language", "content-type", "if-none-match", IDEMPOTENCY_HEADER.lower()}
)
"""What a kiosk may say to the centre beside headers of our own."""
OWN_PREFIX: Final = "kofu-"
HOP_HEADERS: Final = frozenset(
    {"connection", "keep-alive", "content-length", "transfer-encoding", "trailer", "upgrade"}
)
"""Headers of an answer that belong to one connection (RFC 9110, section 7.6.1), and its length."""


@dataclass(frozen=True)
class Limits:
    """Deadlines in seconds, sizes in bytes."""

    handshake: float = 10.0
    header: float = 10.0
    body: float = 60.0
    """A body of the largest size takes 32 s at 64 kbit/s."""
    idle: float = 75.0
    write: float = 60.0
    """For an answer to leave once the client takes it slowly."""
    hold: float = 25.0
    """How long ``GET /v1/events`` is held."""
    upstream: float = 30.0
    linger: float = 1.0
    """After a refusal the rest is read and thrown away, so that the answer arrives."""
    drain: float = 2.5
    header_bytes: int = 16 * 1024
    header_fields: int = 100
    body_bytes: int = 256 * 1024
    answer_bytes: int = 8 * 1024 * 1024
    pipelined: int = 4
    """Requests that a connection may send ahead."""
    upstream_connections: int = 64


@dataclass(frozen=True)
class Request:
    """One request that is well formed."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    """What may be forwarded, names in lower case."""
    body: bytes
    keep_alive: bool
    forged: bool = False
    """It carried an identity header, which was stripped."""

    @property
    def path(self) -> str:
        """Return the target without its query."""
        return self.target.partition("?")[0]

    @property
    def repeatable(self) -> bool:
        """Tell whether doing it twice has one effect."""
        keyed = any(name == IDEMPOTENCY_HEADER.lower() for name, _ in self.headers)
        return keyed or self.method in {"GET", "PUT"}


@dataclass(frozen=True)
class Refusal:
    """A request that goes no further; the connection ends after its answer."""

    event: SecurityEventKind
    status: int
    code: ProblemCode
    detail: str
    """Ours alone; nothing that a client sent is ever repeated."""


@dataclass(frozen=True)
class Answer:
    """An answer; its length is set where it is written."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


def malformed(detail: str, status: int = HTTPStatus.BAD_REQUEST) -> Refusal:
    """Return the refusal of a request that is not HTTP as we take it."""
    return Refusal(SecurityEventKind.MALFORMED, int(status), ProblemCode.MALFORMED, detail)


def too_large(detail: str, status: int) -> Refusal:
    """Return the refusal of a request that is larger than the limits."""
    return Refusal(SecurityEventKind.MALFORMED, status, ProblemCode.TOO_LARGE, detail)


def problem_answer(
    code: ProblemCode,
    status: int,
    detail: str,
    *,
    retryable: bool = False,
    incident: str | None = None,
) -> Answer:
    """Return an answer with problem details."""
    body = problem(code, int(status), detail, retryable=retryable, incident=incident).to_json()
    return Answer(int(status), (("content-type", MEDIA_TYPE),), body)


def refusal_answer(refusal: Refusal) -> Answer:
    """Return what the client of a refused request is told."""
    return problem_answer(refusal.code, refusal.status, refusal.detail)


def may_pass(name: str) -> bool:
    """Tell whether a request header (lower case) is forwarded to the kiosk API.

    An allow-list: a server behind may take any other header (``X-Forwarded-For``,
    ``Kofu_Kiosk``, ``Script-Name``) for something that the line vouches for.
    """
    own = name.startswith(OWN_PREFIX) and "_" not in name and not is_identity(name)
    return own or name in FORWARDED_HEADERS


def is_identity(name: str) -> bool:
    """Tell whether a header (lower case) is, or could be taken for, one that only we may set."""
    return name.replace("_", "-") in IDENTITY_HEADERS


def head(
    status: int, headers: Iterable[tuple[str, str]], length: int, *, keep_alive: bool
) -> bytes:
    """Return status line and headers of an answer as they are written."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {status} {phrase}"]
    lines += [f"{name}: {value}" for name, value in headers if name not in HOP_HEADERS]
    if status not in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        lines.append(f"content-length: {length}")
    if not keep_alive:
        lines.append("connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def forwarded(request: Request, kiosk: str, circuit: str) -> bytes:
    """Return the bytes of a request as the kiosk API gets it, with who asks."""
    lines = [
        f"{request.method} {request.target} HTTP/1.1",
        "host: kiosk-api",
        f"{KIOSK_HEADER}: {kiosk}",
        f"{CIRCUIT_HEADER}: {circuit}",
    ]
    lines += [f"{name}: {value}" for name, value in request.headers]
    if request.body or request.method != "GET":
        lines.append(f"content-length: {len(request.body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + request.body
