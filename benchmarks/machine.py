"""What the machine says: cores, Python, load, and the CPU time of processes."""

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PARENT, _USER, _WITH_CHILDREN_ENDED = 1, 11, 15
"""Places in /proc/PID/stat after the command's name (proc(5)); times in ticks."""


def describe() -> dict[str, object]:
    """Return what figures depend on; no name and no path of the machine."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 1),
    }


def commit(root: Path) -> str:
    """Return the commit that was measured, with a plus sign when the tree had changes."""

    def git(*words: str) -> str:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", *words],  # noqa: S607 - whichever git there is
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    parts = ("backend", "dedicated_line", "kiosk", "printers", "deploy", "benchmarks", "Procfile")
    name = git("rev-parse", "--short=12", "HEAD") or "unknown"
    return name + ("+" if git("status", "--porcelain", "--", *parts) else "")


def cpu_seconds(roots: Mapping[str, Iterable[int]]) -> dict[str, float]:
    """Return the CPU seconds so far of each group of processes, their children included."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        pid = int(entry.parent.name)
        parents[pid] = int(fields[_PARENT])
        ticks[pid] = sum(int(field) for field in fields[_USER:_WITH_CHILDREN_ENDED])

    def family(pids: Iterable[int]) -> set[int]:
        found = set(pids)
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return found

    return {
        name: sum(ticks.get(pid, 0) for pid in family(pids)) / _TICKS
        for name, pids in roots.items()
    }
