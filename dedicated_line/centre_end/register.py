"""The register of circuits as the centre's end sees it: always the newest."""

import os
from collections.abc import Callable
from pathlib import Path

from dedicated_line.contract.line import RegisteredKiosk
from dedicated_line.enrolment.model import Caller, Standing, standing
from dedicated_line.enrolment.store import LineFilesError, read_register


class LiveRegister:
    """Reads the register again whenever its file has changed.

    It fails closed: while there is no register that can be read, nobody is admitted.
    """

    def __init__(self, path: Path, report: Callable[[str], None]) -> None:
        """Take the file and what is told when it cannot be read."""
        self._path = path
        self._report = report
        self._mark: tuple[int, int, int] | None = None
        self._kiosks: dict[str, RegisteredKiosk] = {}

    def kiosks(self) -> dict[str, RegisteredKiosk]:
        """Return all entries by kiosk, as the file has them now."""
        try:
            found = os.stat(self._path)  # noqa: PTH116 - a third of the time, on every request
            mark = (found.st_mtime_ns, found.st_ino, found.st_size)
        except OSError:
            mark = (0, 0, 0)
        if mark != self._mark:
            self._mark = mark
            self._kiosks = self._read()
        return self._kiosks

    def standing(self, caller: Caller) -> Standing:
        """Decide about a caller by what the file says now."""
        return standing(self.kiosks().get(caller.kiosk), caller)

    def _read(self) -> dict[str, RegisteredKiosk]:
        try:
            register = read_register(self._path)
        except LineFilesError as error:
            self._report(f"no kiosk is admitted: {error}")
            return {}
        return {entry.kiosk: entry for entry in register.kiosks}
