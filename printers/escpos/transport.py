"""The connection to a printer: python-escpos writes, a thread of ours reads and tells apart."""

import logging
import select
import socket
import struct
import threading
from collections.abc import Callable
from typing import Final

from dedicated_line.clock import Clock
from dedicated_line.errors import KofuError
from printers.escpos.library import DeviceNotFoundError, Network
from printers.escpos.model import Fault, Reply, ReplyKind, ReplyReader, from_automatic

SEND_BUFFER: Final = 16_384
"""Bytes in flight at most (as the kernel counts), so that a stop takes effect soon."""
PIECE: Final = 4_096
CONNECT_SECONDS: Final = 3.0
_LOG = logging.getLogger(__name__)


class PrinterUnreachableError(KofuError):
    """Nothing answers at the printer's address, or another client holds it."""


class PrinterFaultError(KofuError):
    """The printer stopped while it was being sent to."""

    def __init__(self, fault: Fault, raw: bytes = b"") -> None:
        """Take the fault and the status bytes that told it."""
        super().__init__(f"the printer stopped: {fault.value}")
        self.fault = fault
        self.raw = raw


class _Writer(Network):  # type: ignore[misc]  # python-escpos has no types
    """python-escpos with our sending: every byte under a deadline, none after a fault."""

    def __init__(self, send: Callable[[bytes], None], profile: str) -> None:
        super().__init__(profile=profile)
        self._send = send

    def open(self, raise_not_found: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002 - its form
        raise DeviceNotFoundError("the connection is not made here")

    def close(self) -> None:
        """Leave the connection to its owner."""

    def _raw(self, msg: bytes) -> None:
        self._send(msg)


class Connection:
    """A TCP connection with a thread that reads replies as they come."""

    def __init__(self, host: str, port: int, clock: Clock, profile: str) -> None:
        """Connect; raise PrinterUnreachableError when that fails within `CONNECT_SECONDS`."""
        self._clock = clock
        try:
            self._socket = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
        except OSError as error:
            raise PrinterUnreachableError(
                f"no printer answers at {host}:{port}; check that it is on and connected"
            ) from error
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)  # noqa: FBT003 - the socket's own form
        self._changed = threading.Condition()
        self._replies: list[Reply] = []
        self._lost = False
        self._fault: PrinterFaultError | None = None
        self._automatic = b""
        self._wake, self._woken = socket.socketpair()
        self.writer = _Writer(self._send_for_escpos, profile)
        self._send_seconds = CONNECT_SECONDS
        self._reader = threading.Thread(target=self._read, name="printer-replies", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        reader = ReplyReader()
        while True:
            ready, _, _ = select.select([self._socket, self._woken], [], [])
            if self._woken in ready:
                return
            try:
                data = self._socket.recv(4096)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            with self._changed:
                for reply in reader.feed(data):
                    self._take(reply)
                if not data:
                    self._lost = True
                    self._fault = PrinterFaultError(Fault.LOST)
                self._changed.notify_all()
            if not data:
                return

    def _take(self, reply: Reply) -> None:
        if reply.kind is ReplyKind.AUTOMATIC:
            self._automatic = reply.data
            faults = from_automatic(reply.data).faults
            first = next((fault for fault in Fault if fault in faults), None)
            if first is not None and self._fault is None:
                self._fault = PrinterFaultError(first, reply.data)
        else:
            self._replies.append(reply)

    @property
    def automatic(self) -> bytes:
        """Return the newest automatic status; empty when none has come."""
        with self._changed:
            return self._automatic

    @property
    def lost(self) -> bool:
        """Tell whether the connection has ended."""
        with self._changed:
            return self._lost

    def forget_fault(self) -> None:
        """Forget a fault that is over; a lost connection stays lost."""
        with self._changed:
            if not self._lost:
                self._fault = None

    def raise_fault(self) -> None:
        """Raise the fault that the printer has reported since the last `forget_fault`."""
        with self._changed:
            if self._fault is not None:
                raise PrinterFaultError(self._fault.fault, self._fault.raw)

    def _send_for_escpos(self, data: bytes) -> None:
        self.send(data, self._send_seconds)

    def within(self, seconds: float) -> Network:
        """Return python-escpos' writer; each of its commands has so many seconds."""
        self._send_seconds = seconds
        return self.writer

    def send(self, data: bytes, seconds: float, *, despite_fault: bool = False) -> None:
        """Send all of data; raise PrinterFaultError when the printer stops or takes nothing."""
        rest = memoryview(data)
        deadline = self._clock.monotonic() + seconds
        while rest:
            if not despite_fault:
                self.raise_fault()
            left = deadline - self._clock.monotonic()
            _, ready, _ = select.select([], [self._socket], [], max(0.0, min(left, 0.1)))
            if ready:
                try:
                    sent = self._socket.send(rest[:PIECE])
                except BlockingIOError:
                    continue
                except OSError as error:
                    raise PrinterFaultError(Fault.LOST) from error
                rest = rest[sent:]
                deadline = self._clock.monotonic() + seconds
            elif left <= 0:
                raise PrinterFaultError(Fault.SILENT)

    def drop_replies(self) -> None:
        """Forget the replies that nobody has asked for."""
        with self._changed:
            self._replies.clear()

    def wait_for(self, kind: ReplyKind, seconds: float, *, stop_at_fault: bool = False) -> Reply:
        """Return the next reply of a kind.

        Raises:
            PrinterFaultError: none came in time (SILENT), the connection is lost, or, where asked
                for, the printer reported a fault first.
        """

        def found() -> int | None:
            places = (n for n, reply in enumerate(self._replies) if reply.kind is kind)
            return next(places, None)

        def done() -> bool:
            stopped = stop_at_fault and self._fault is not None
            return found() is not None or self._lost or stopped

        with self._changed:
            self._changed.wait_for(done, timeout=seconds)
            place = found()
            if place is not None:
                return self._replies.pop(place)
            if self._fault is not None and (stop_at_fault or self._lost):
                raise PrinterFaultError(self._fault.fault, self._fault.raw)
        raise PrinterFaultError(Fault.SILENT)

    def close(self, *, abort: bool = False) -> None:
        """End the connection and the thread; abort throws away what has not been sent."""
        self._wake.send(b"\0")
        self._reader.join(timeout=CONNECT_SECONDS)
        if abort:
            linger = struct.pack("ii", 1, 0)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        for each in (self._socket, self._wake, self._woken):
            each.close()
