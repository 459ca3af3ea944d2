"""A simulated ESC/POS printer: one client at a time, as the real ones; the next waits."""

import contextlib
import select
import socket
import threading
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

from printers.simulated import decoder
from printers.simulated.paper import Strip, Tray

TICK: Final = 0.05
"""Seconds after which a waiting thread looks again whether it should end."""


class SimulatedFault(StrEnum):
    """What can be made to happen."""

    WELL = "well"
    """Paper in, cover shut, power on; an attendant has torn off what was half printed."""
    PAPER_END = "paper-end"
    NEAR_END = "near-end"
    COVER_OPEN = "cover-open"
    CUTTER_JAM = "cutter-jam"
    OFFLINE = "offline"
    POWER_OFF = "power-off"
    SILENT = "silent"
    """Takes bytes, does nothing, says nothing."""
    WRONG_PROCESS_ID = "wrong-process-id"


STOPPING: Final = frozenset(
    {
        SimulatedFault.PAPER_END,
        SimulatedFault.COVER_OPEN,
        SimulatedFault.CUTTER_JAM,
        SimulatedFault.OFFLINE,
        SimulatedFault.POWER_OFF,
        SimulatedFault.SILENT,
    }
)


class SimulatedPrinter:
    """Listens on an address, prints into a folder, and fails when told to."""

    def __init__(
        self,
        address: tuple[str, int],
        folder: Path,
        *,
        rows_a_second: float = 0.0,
        tell: Callable[[str], None] = lambda _line: None,
    ) -> None:
        """Bind the address (OSError when it is taken) and start.

        Args:
            address: host and port; port 0 takes a free one (see `address`).
            folder: where papers are laid.
            rows_a_second: how fast it prints; 0 is at once.
            tell: takes one line for people when paper comes out or something is wrong.
        """
        self._tray = Tray(folder)
        self._tell = tell
        self._seconds_a_row = 1 / rows_a_second if rows_a_second else 0.0
        self._listener = socket.create_server(address, backlog=8)
        self._lock = threading.Condition()
        self._ended = threading.Event()
        self._buffer = bytearray()
        self._strip = Strip()
        self._margin = 0
        self._automatic = 0
        self._client: socket.socket | None = None
        self._fault = SimulatedFault.WELL
        self._armed: tuple[SimulatedFault, int] | None = None
        self._threads = [
            threading.Thread(target=work, name=work.__name__, daemon=True)
            for work in (self._serve, self._print)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def address(self) -> tuple[str, int]:
        """Return where it listens."""
        host, port = self._listener.getsockname()[:2]
        return str(host), int(port)

    def close(self) -> None:
        """End; a strip that was not cut is laid into the tray as partial."""
        self._ended.set()
        with self._lock:
            self._lock.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)
        self._listener.close()
        self._tear_off()

    def fail(self, fault: SimulatedFault, after_rows: int | None = None) -> None:
        """Fail now, or when so many more rows have been printed; WELL mends everything."""
        with self._lock:
            if after_rows is not None:
                self._armed = (fault, after_rows)
                return
            self._become(fault)

    def _become(self, fault: SimulatedFault) -> None:
        self._fault = fault
        if fault is SimulatedFault.WELL:
            self._armed = None
            self._tear_off()
        if fault is SimulatedFault.POWER_OFF:
            self._buffer.clear()
            self._automatic = 0
            self._margin = 0
            self._tear_off()
            self._hang_up()
        if self._automatic:
            self._say(self._automatic_status())
        self._lock.notify_all()

    def _tear_off(self) -> None:
        if self._strip.rows:
            self._tell(f"partial paper {self._tray.lay(self._strip, partial=True)}")
        self._strip = Strip()

    # ---------------------------------------------------------------- receiving
    def _serve(self) -> None:
        while not self._ended.is_set():
            ready, _, _ = select.select([self._listener], [], [], TICK)
            if not ready:
                continue
            client, _ = self._listener.accept()
            if self._fault is SimulatedFault.POWER_OFF:
                client.close()
                continue
            with self._lock:
                self._client = client
                self._automatic = 0
            self._attend(client)
            with self._lock:
                self._hang_up()

    def _attend(self, client: socket.socket) -> None:
        urgent = bytearray()
        while not self._ended.is_set():
            try:
                ready, _, _ = select.select([client], [], [], TICK)
                data = client.recv(4096) if ready else None
            except (OSError, ValueError):
                return
            if data is None:
                continue
            if not data:
                return
            with self._lock:
                if self._fault is SimulatedFault.SILENT:
                    continue
                self._buffer += data
                urgent += data
                self._obey_real_time(urgent)
                self._lock.notify_all()

    def _obey_real_time(self, data: bytearray) -> None:
        """Obey real-time commands wherever they stand, inside pictures too, as printers do."""
        while True:
            start = data.find(decoder.DLE)
            if start < 0:
                data.clear()
                return
            del data[:start]
            if len(data) == 1:
                return
            if data[1] not in {0x04, 0x05, 0x14}:
                del data[:1]
                continue
            length = decoder.real_time_length(bytes(data), 0)
            if not length:
                return
            command = bytes(data[:length])
            del data[:length]
            if command[1] == 0x04:  # noqa: PLR2004 - DLE EOT
                self._say(bytes((self._real_time_status(command[2]),)))
            elif command == b"\x10\x14\x08\x01\x03\x14\x01\x06\x02\x08":
                self._buffer.clear()
                self._say(b"\x37\x25\x00")
            elif command == b"\x10\x05\x02":
                self._buffer.clear()

    def _say(self, data: bytes) -> None:
        if self._client is not None and self._fault is not SimulatedFault.SILENT:
            with contextlib.suppress(OSError):  # a client that has gone hears nothing
                self._client.sendall(data)

    def _hang_up(self) -> None:
        if self._client is not None:
            with contextlib.suppress(OSError):  # it may have gone already
                self._client.shutdown(socket.SHUT_RDWR)
            self._client.close()
            self._client = None

    # ---------------------------------------------------------------- status
    def _flags(self) -> tuple[bool, bool, bool, bool, bool]:
        """Return: stopped, cover open, paper end, near end, cutter jammed."""
        fault = self._fault
        return (
            fault in STOPPING,
            fault is SimulatedFault.COVER_OPEN,
            fault is SimulatedFault.PAPER_END,
            fault in {SimulatedFault.NEAR_END, SimulatedFault.PAPER_END},
            fault is SimulatedFault.CUTTER_JAM,
        )

    def _real_time_status(self, which: int) -> int:
        stopped, cover, end, near, cutter = self._flags()
        return 0x12 | {
            1: 0x08 * stopped,
            2: 0x04 * cover | 0x20 * end | 0x40 * cutter,
            3: 0x08 * cutter,
            4: 0x0C * near | 0x60 * end,
        }.get(which, 0)

    def _automatic_status(self) -> bytes:
        stopped, cover, end, near, cutter = self._flags()
        return bytes((0x10 | 0x08 * stopped | 0x20 * cover, 0x08 * cutter, 3 * near | 12 * end, 0))

    # ---------------------------------------------------------------- printing
    def _print(self) -> None:
        while not self._ended.is_set():
            with self._lock:
                command = self._next_command()
                if command is None:
                    self._lock.wait(TICK)
                    continue
                if not isinstance(command, decoder.Raster):
                    self._do_or_stop(command)
            if isinstance(command, decoder.Raster):
                self._burn(command)

    def _next_command(self) -> decoder.Command | None:
        if self._fault in STOPPING or not self._buffer:
            return None
        try:
            found = decoder.read_command(bytes(self._buffer))
        except decoder.UnknownBytesError as error:
            self._tell(f"unknown bytes: {error}")
            del self._buffer[:1]
            return None
        if found is None:
            return None
        command, length = found
        self._strip.received += self._buffer[:length]
        del self._buffer[:length]
        return command

    def _do_or_stop(self, command: decoder.Command) -> None:
        try:
            self._do(command)
        except OSError as error:  # a tray that takes no paper stops a printer; so does a full disk
            self._tell(f"cannot write the paper ({error.strerror}); offline until mended")
            self._strip = Strip()
            self._become(SimulatedFault.OFFLINE)

    def _do(self, command: decoder.Command) -> None:
        match command:
            case decoder.Feed(rows):
                self._strip.feed(rows)
            case decoder.Margin(dots):
                self._margin = dots
            case decoder.Automatic(mask):
                self._automatic = mask
                self._say(self._automatic_status())
            case decoder.AskStatus():
                self._say(bytes((3 * self._flags()[3] | 12 * self._flags()[2],)))
            case decoder.AskProcessId(name):
                wrong = self._fault is SimulatedFault.WRONG_PROCESS_ID
                self._say(b"\x37\x22" + (b"!!!!" if wrong else name) + b"\0")
            case decoder.Cut():
                if self._strip.rows:
                    self._tell(f"printed {self._tray.lay(self._strip)}")
                self._strip = Strip()
            case decoder.Reset():
                self._margin = 0
            case _:
                pass

    def _burn(self, raster: decoder.Raster) -> None:
        """Print row by row; when the paper ends or the power goes, the rest is never printed."""
        for row in range(len(raster.data) // raster.row_bytes):
            if self._seconds_a_row:
                self._ended.wait(self._seconds_a_row)
            with self._lock:
                if self._armed is not None:
                    fault, rows = self._armed
                    self._armed = (fault, rows - 1) if rows > 0 else None
                    if self._armed is None:
                        self._become(fault)
                if self._fault in STOPPING or self._ended.is_set():
                    return
                self._strip.burn(raster, row, self._margin)
