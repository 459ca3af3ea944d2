"""TLS sockets whose every operation ends at one deadline."""

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from dedicated_line.errors import KofuError


class LineKeysError(KofuError):
    """This kiosk's key or certificates for the line cannot be read."""


class DeadlineSocket(ssl.SSLSocket):
    """A TLS socket that never waits longer than what `remaining` says (seconds)."""

    remaining: Callable[[], float]

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Receive within what remains; TimeoutError afterwards."""
        self._limit()
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        """Send within what remains; TimeoutError afterwards."""
        self._limit()
        return super().send(*args, **kwargs)

    def hang_up(self) -> None:
        """Make any operation that goes on in another thread end now."""
        try:
            socket.socket.shutdown(self, socket.SHUT_RDWR)
        except OSError:
            return  # not connected any more, which is what was asked for

    def _limit(self) -> None:
        # During the handshake nothing is set yet; the caller limits that by itself.
        remaining = getattr(self, "remaining", None)
        if remaining is not None:
            self.settimeout(_positive(remaining()))


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise TimeoutError("the deadline has passed")
    return seconds


def client_context(certificate: Path, key: Path, authority: Path) -> ssl.SSLContext:
    """Return TLS 1.3 with this kiosk's certificate, trusting the line's own CA and nothing else.

    Raises:
        LineKeysError: a file is missing or damaged; the sentence says what to do.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.sslsocket_class = DeadlineSocket
    try:
        context.load_cert_chain(certificate, key)
        context.load_verify_locations(authority)
    except (OSError, ValueError) as error:
        raise LineKeysError(
            f"cannot use the keys of the line in {certificate.parent} "
            f"({getattr(error, 'strerror', None) or error}); enrol this kiosk: "
            "'kofu-line kiosk add'"
        ) from error
    return context


def connect(
    context: ssl.SSLContext,
    address: tuple[str, int],
    server_name: str,
    remaining: Callable[[], float],
) -> DeadlineSocket:
    """Connect and shake hands within what remains."""
    # Wrapped before it is connected: wrapping a socket whose peer has just gone would leak it.
    secure = cast(
        "DeadlineSocket",
        context.wrap_socket(
            socket.socket(socket.AF_INET),
            server_hostname=server_name,
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
        ),
    )
    try:
        secure.settimeout(_positive(remaining()))
        secure.connect(address)
        secure.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secure.settimeout(_positive(remaining()))
        secure.do_handshake()
    except BaseException:
        secure.close()
        raise
    secure.remaining = remaining
    return secure
