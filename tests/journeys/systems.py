"""The whole system as its user starts it, each with a world of its own."""

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from running import Running


@contextmanager
def short_folder() -> Iterator[Path]:
    """Give a folder whose path is short enough for Unix sockets."""
    folder = Path(tempfile.mkdtemp(prefix="kofu-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def made_world(place: Path, now: str | None) -> Path:
    """Return a folder with the sample world loaded, made once for all workers."""
    name = (now or "today").replace(":", "")
    made = place / f"world-{name}"
    with (place / f"world-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with short_folder() as folder:
                system = Running(var=folder, card="in-process", now=now)
                system.prepare()
                system.load()
                shutil.copytree(folder, made)
    return made


@contextmanager
def running_system(
    worlds: Path,
    *,
    card: str = "in-process",
    now: str | None = None,
    more: dict[str, str] | None = None,
) -> Iterator[Running]:
    """Start everything in a world of its own; stop it, and wait for every child, at the end."""
    with short_folder() as folder:
        shutil.copytree(made_world(worlds, now), folder, dirs_exist_ok=True)
        system = Running(var=folder, card=card, now=now, more=more or {})
        system.prepare()
        system.load()
        try:
            system.start()
            yield system
        finally:
            system.stop()


def journey(system: Running, persona: str, *more: str) -> subprocess.CompletedProcess[str]:
    """Let one resident walk up to the kiosk."""
    return system.command("kofu-kiosk", "journey", persona, "--card", system.card, *more)


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """Hold a process and its workers still, as if it hung."""
    listed = subprocess.run(["pgrep", "-P", str(pid)], text=True, capture_output=True, check=False)
    everyone = [pid, *(int(child) for child in listed.stdout.split())]
    for one in everyone:
        os.kill(one, signal.SIGSTOP)
    try:
        yield
    finally:
        for one in everyone:
            os.kill(one, signal.SIGCONT)
