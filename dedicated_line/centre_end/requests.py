"""Bytes in, requests out: HTTP/1.1 parsed strictly by httptools (llhttp), without I/O."""

from enum import Enum, auto
from http import HTTPStatus
from typing import Final

import httptools

from dedicated_line.centre_end.model import (
    METHODS,
    Limits,
    Refusal,
    Request,
    is_identity,
    malformed,
    may_pass,
    too_large,
)

LINE_OVERHEAD: Final = 4
"""Colon, space, carriage return and line feed around a header."""


class Phase(Enum):
    """What the next bytes belong to."""

    IDLE = auto()
    HEADER = auto()
    BODY = auto()
    REFUSED = auto()
    """Nothing more is read."""


class _RefusedError(Exception):
    """Leaves the parser from within a callback."""


class RequestReader:
    """Reads the requests of one connection; after a refusal it reads nothing more.

    Refused, beside what llhttp refuses (two lengths, length beside chunks, folded headers, bare
    line feeds, control characters): any transfer coding, a target that is not a path, other
    methods, versions and upgrades, and what is larger than the limits.
    """

    def __init__(self, limits: Limits) -> None:
        self.phase = Phase.IDLE
        self._limits = limits
        self._ready: list[Request | Refusal] = []
        self._refusal: Refusal | None = None
        self._begin()
        self._parser = httptools.HttpRequestParser(self)

    def feed(self, data: bytes) -> list[Request | Refusal]:
        """Return what has become complete with these bytes."""
        if self.phase is Phase.REFUSED:
            return []
        self._ready = []
        try:
            self._parser.feed_data(data)
            if self.phase is Phase.HEADER:
                self._fed += len(data)
                self._limit_header(self._fed)
        except httptools.HttpParserUpgrade:
            self._refuse(malformed("the line switches to no other protocol"))
        except (httptools.HttpParserError, _RefusedError):
            self._refuse(self._refusal or malformed("this is not HTTP/1.1 as the line takes it"))
        return self._ready

    def _refuse(self, refusal: Refusal) -> None:
        if self._upgrading:
            self._ready.pop()  # llhttp calls a request complete before it asks for the upgrade
        self.phase = Phase.REFUSED
        self._ready.append(refusal)

    def _begin(self) -> None:
        self._target = b""
        self._headers: list[tuple[str, str]] = []
        self._body: list[bytes] = []
        self._fed = 0
        self._header_bytes = 0
        self._fields = 0
        self._body_bytes = 0
        self._forged = False
        self._upgrading = False

    def _stop(self, refusal: Refusal) -> None:
        self._refusal = refusal
        raise _RefusedError

    def _limit_header(self, count: int) -> None:
        if count > self._limits.header_bytes:
            self._stop(
                too_large(
                    f"the header has more than {self._limits.header_bytes} bytes",
                    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
                )
            )

    # ------------------------------------------------------- called by httptools
    def on_message_begin(self) -> None:
        """Start a request."""
        self._begin()
        self.phase = Phase.HEADER

    def on_url(self, url: bytes) -> None:
        """Take a piece of the target."""
        self._target += url
        self._limit_header(len(self._target))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header."""
        self._fields += 1
        self._header_bytes += len(name) + len(value) + LINE_OVERHEAD
        self._limit_header(self._header_bytes + len(self._target))
        if self._fields > self._limits.header_fields:
            self._limit_header(self._limits.header_bytes + 1)
        lower = name.decode("latin-1").lower()
        if is_identity(lower):
            self._forged = True
        elif may_pass(lower):
            self._headers.append((lower, value.decode("latin-1")))
        elif lower == "transfer-encoding":
            self._stop(malformed("send the body with its length", HTTPStatus.LENGTH_REQUIRED))
        elif lower == "expect":
            self._stop(malformed("nothing is promised", HTTPStatus.EXPECTATION_FAILED))
        elif lower == "content-length" and int(value) > self._limits.body_bytes:
            self._too_long()

    def on_headers_complete(self) -> None:
        """Check what can be told before the body."""
        if self._parser.get_http_version() != "1.1":
            self._stop(malformed("speak HTTP/1.1", HTTPStatus.HTTP_VERSION_NOT_SUPPORTED))
        if self._parser.get_method().decode("latin-1") not in METHODS:
            self._stop(malformed("this method is not taken", HTTPStatus.METHOD_NOT_ALLOWED))
        if not self._target.startswith(b"/") or self._target.startswith(b"//"):
            self._stop(malformed("ask for a path of this line alone"))
        self.phase = Phase.BODY

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._body_bytes += len(body)
        if self._body_bytes > self._limits.body_bytes:
            self._too_long()
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand the request over."""
        self.phase = Phase.IDLE
        self._upgrading = bool(self._parser.should_upgrade())
        self._ready.append(
            Request(
                method=self._parser.get_method().decode("latin-1"),
                target=self._target.decode("latin-1"),
                headers=tuple(self._headers),
                body=b"".join(self._body),
                keep_alive=bool(self._parser.should_keep_alive()),
                forged=self._forged,
            )
        )

    def _too_long(self) -> None:
        self._stop(
            too_large(
                f"a body has at most {self._limits.body_bytes} bytes",
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            )
        )
