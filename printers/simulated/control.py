"""A Unix socket that tells the simulated printers to fail: a line, ``KIOSK FAULT [ROWS]``."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from dedicated_line.errors import UsageError
from printers.simulated.printer import SimulatedFault, SimulatedPrinter

OK: Final = "ok"
LONGEST_LINE: Final = 200
SECONDS: Final = 2.0


def obey(line: str, printers: Mapping[str, SimulatedPrinter]) -> str:
    """Carry out one line; return ``ok`` or what is wrong with it."""
    words = line.split()
    if not 2 <= len(words) <= 3 or words[0] not in printers:  # noqa: PLR2004 - rows are optional
        return f"write KIOSK FAULT [ROWS]; the kiosks are {', '.join(sorted(printers))}"
    if words[1] not in list(SimulatedFault):
        return f"the faults are {', '.join(SimulatedFault)}"
    if not all(word.isascii() and word.isdigit() for word in words[2:]):
        return "rows are a whole number"
    printers[words[0]].fail(SimulatedFault(words[1]), *(int(word) for word in words[2:]))
    return OK


def _ask(path: Path, line: str) -> str:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(SECONDS)
        client.connect(str(path))
        client.sendall(f"{line}\n".encode())
        return client.makefile(encoding="utf-8").readline().strip()


def _answers(path: Path) -> bool:
    try:
        _ask(path, "")
    except OSError:
        return False
    return True


def send_fault(path: Path, kiosk: str, fault: SimulatedFault, after_rows: int | None) -> None:
    """Tell running simulated printers; UsageError when none run or they do not know the kiosk."""
    line = f"{kiosk} {fault.value}" + ("" if after_rows is None else f" {after_rows}")
    try:
        answer = _ask(path, line)
    except OSError as error:
        raise UsageError(
            f"no simulated printers run ({path}); start them with kofu-printer emulate"
        ) from error
    if answer != OK:
        raise UsageError(answer)


class ControlSocket:
    """Listens and passes faults on."""

    def __init__(self, path: Path, printers: Mapping[str, SimulatedPrinter]) -> None:
        """Bind the socket; UsageError when another emulator holds it or it cannot be made."""
        self._path = path
        if _answers(path):
            raise UsageError(f"simulated printers are running already ({path}); stop them first")

        class Handler(socketserver.StreamRequestHandler):
            timeout = SECONDS

            def handle(self) -> None:
                with contextlib.suppress(OSError):  # a caller that has gone needs no answer
                    line = self.rfile.readline(LONGEST_LINE).decode("utf-8", "replace")
                    self.wfile.write(f"{obey(line, printers)}\n".encode())

        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            self._server = socketserver.UnixStreamServer(str(path), Handler)
        except OSError as error:
            raise UsageError(f"cannot make the socket {path} ({error.strerror})") from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="printer-control", daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """End."""
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()
        self._path.unlink(missing_ok=True)
