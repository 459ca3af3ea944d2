"""Errors that people read, and incidents that people look into."""

import sys
import traceback
from enum import IntEnum
from pathlib import Path
from typing import Final

from dedicated_line.clock import SystemClock, SystemEntropy


class Exit(IntEnum):
    """How a command ends."""

    SERVED = 0
    FAULT = 1
    USAGE = 2
    REFUSED = 3


class KofuError(Exception):
    """Something that is understood: one sentence that says what happened and what to do."""

    exit_code: Exit = Exit.FAULT


class UsageError(KofuError):
    """The command, its arguments or its settings are wrong."""

    exit_code = Exit.USAGE


INCIDENT_LOG: Final = "incidents.log"


def record_incident(log_folder: Path, part: str) -> str:
    """Write the exception being handled to the incident log; return the incident's id.

    The traceback has source lines and the error's type, not its message or any variable: those
    may speak of a resident.
    """
    incident = SystemEntropy().token(5).hex()
    kind, _, trace = sys.exc_info()
    lines = [f"{SystemClock().real_now().isoformat()} incident={incident} part={part}\n"]
    lines += traceback.format_tb(trace)
    lines.append(f"{kind.__module__}.{kind.__qualname__}\n" if kind else "no exception\n")
    try:
        log_folder.mkdir(parents=True, exist_ok=True)
        with (log_folder / INCIDENT_LOG).open("a", encoding="utf-8") as log:
            log.writelines(lines)
    except OSError:
        sys.stderr.writelines(lines)
    return incident
