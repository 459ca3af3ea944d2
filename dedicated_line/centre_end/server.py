"""The listener: handshakes with a deadline, and who is at the other end."""

import asyncio
import errno
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

from dedicated_line.centre_end.connection import KioskConnection
from dedicated_line.centre_end.model import Limits, Refusal
from dedicated_line.centre_end.service import LineDesk
from dedicated_line.clock import Clock
from dedicated_line.contract.line import SecurityEventKind
from dedicated_line.contract.problems import ProblemCode
from dedicated_line.enrolment.model import Caller
from dedicated_line.errors import KofuError

BACKLOG: Final = 1024
AGAIN_SECONDS: Final = 0.1
SHUTDOWN_SECONDS: Final = 1.0
"""For the other end's good-bye (close_notify) after ours."""
_SLOW: Final = "the handshake did not end in time"
_REASONS: Final = (
    ("PEER_DID_NOT_RETURN", SecurityEventKind.NO_CERTIFICATE, "no certificate was shown"),
    ("CERTIFICATE", SecurityEventKind.UNKNOWN_CERTIFICATE, "a certificate that is not ours"),
    ("UNKNOWN_CA", SecurityEventKind.UNKNOWN_CERTIFICATE, "our certificate is not trusted there"),
    ("PROTOCOL", SecurityEventKind.MALFORMED, "not TLS 1.3"),
    ("VERSION", SecurityEventKind.MALFORMED, "not TLS 1.3"),
)
"""What OpenSSL's reasons mean for the line; the first that fits."""


class CannotListenError(KofuError):
    """The port is taken, or the centre end's certificate cannot be used."""


def server_context(folder: Path) -> ssl.SSLContext:
    """Return TLS 1.3 that asks for a certificate of the line's own CA.

    Raises:
        CannotListenError: ``server.pem``, ``server.key`` or ``ca.pem`` cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = 0  # a resumed session would not show its certificate again
    try:
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        context.load_verify_locations(folder / "ca.pem")
    except (OSError, ValueError) as error:
        raise CannotListenError(
            f"cannot use the line's certificates in {folder} "
            f"({getattr(error, 'strerror', None) or error}); run 'kofu-line ca init'"
        ) from error
    return context


class LineServer:
    """Accepts connections, shakes hands, and hands them to a `KioskConnection` each."""

    def __init__(
        self,
        context: ssl.SSLContext,
        desk: LineDesk,
        limits: Limits,
        clock: Clock,
        incident: Callable[[], str],
    ) -> None:
        self._context = context
        self._desk = desk
        self._limits = limits
        self._clock = clock
        self._incident = incident
        self._listener: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._shaking: set[asyncio.Task[None]] = set()
        self._connections: set[KioskConnection] = set()
        self._all_gone = asyncio.Event()
        self._room = asyncio.Event()

    def start(self, host: str, port: int) -> int:
        """Listen; return the port. Raise CannotListenError when it is taken."""
        try:
            self._listener = socket.create_server((host, port), backlog=BACKLOG)
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            raise CannotListenError(
                f"port {port} on {host} {'is taken' if taken else 'cannot be used'}; "
                "stop who listens there, or set KOFU_LINE_PORT to a free one"
            ) from error
        self._listener.settimeout(0)
        self._accepting = asyncio.get_running_loop().create_task(self._accept(self._listener))
        taken_port: int = self._listener.getsockname()[1]
        return taken_port

    async def drain(self) -> None:
        """Take no new connections, let what is in hand end, then close the rest."""
        if self._accepting is not None:
            self._accepting.cancel()
        if self._listener is not None:
            self._listener.close()
        for task in list(self._shaking):
            task.cancel()
        for connection in list(self._connections):
            connection.drain()
        try:
            async with asyncio.timeout(self._limits.drain):
                while self._connections:
                    self._all_gone.clear()
                    await self._all_gone.wait()
        except TimeoutError:
            for connection in list(self._connections):
                connection.abort()

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                plain, address = await loop.sock_accept(listener)
            except OSError:
                # Out of open files, or gone before it was accepted: go on when one has ended.
                self._room.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._room.wait(), AGAIN_SECONDS)
                continue
            task = loop.create_task(self._shake_hands(plain, str(address[0])))
            self._shaking.add(task)
            task.add_done_callback(self._shaking.discard)

    async def _shake_hands(self, plain: socket.socket, source: str) -> None:
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: self._connection(source),
                plain,
                ssl=self._context,
                ssl_handshake_timeout=self._limits.handshake,
                ssl_shutdown_timeout=SHUTDOWN_SECONDS,
            )
        except ssl.SSLError as error:
            kind, detail = _meaning(error)
            self._report(kind, source, detail)
        except (ConnectionAbortedError, TimeoutError):
            # Both loops say so when the deadline passes.
            self._report(SecurityEventKind.SLOW_CLIENT, source, _SLOW)
        except OSError:
            return  # the client went away by itself: nothing to report
        finally:
            self._room.set()

    def _connection(self, source: str) -> KioskConnection:
        def identify(transport: asyncio.BaseTransport) -> tuple[Caller, Callable[[], bool]]:
            caller, ends = _caller_of(transport, source)
            return caller, lambda: self._clock.real_now().timestamp() >= ends

        return KioskConnection(
            self._desk, self._limits, identify, self._incident, self._begun, self._ended
        )

    def _begun(self, connection: KioskConnection) -> None:
        self._connections.add(connection)

    def _ended(self, connection: KioskConnection) -> None:
        self._connections.discard(connection)
        self._all_gone.set()
        self._room.set()

    def _report(self, kind: SecurityEventKind, source: str, detail: str) -> None:
        refusal = Refusal(kind, HTTPStatus.FORBIDDEN, ProblemCode.NOT_A_KIOSK, detail)
        self._desk.report(refusal, source, None)


def _caller_of(transport: asyncio.BaseTransport, source: str) -> tuple[Caller, float]:
    """Return who the verified certificate says is calling, and when that certificate ends."""
    shown: dict[str, Any] = transport.get_extra_info("peercert")
    names = [value for part in shown["subject"] for key, value in part if key == "commonName"]
    kiosk = names[0] if len(names) == 1 else ""
    serial = format(int(shown["serialNumber"], 16), "x")
    ends = float(ssl.cert_time_to_seconds(shown["notAfter"]))
    return Caller(kiosk=kiosk, serial=serial, source=source), ends


def _meaning(error: ssl.SSLError) -> tuple[SecurityEventKind, str]:
    reason = (error.reason or "").upper()
    for word, kind, detail in _REASONS:
        if word in reason:
            return kind, detail
    return SecurityEventKind.MALFORMED, "not a handshake of TLS 1.3"
