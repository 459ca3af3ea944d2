"""Times that a person feels: PIN to paper, and `make demo`."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from figures import MS, BenchError
from installation import short_folder

from dedicated_line.clock import SystemClock
from deploy.running import ROOT, Running

PERSONA = "shimonoseki-taro"
DEMO_SECONDS = 120
_PIN_TO_PAPER = re.compile(r"^PIN typed to last byte.*: (\d+) ms$", re.MULTILINE)
_STEP = re.compile(r"^(.{42}) *(\d+) +\d+(?:  .*)?$", re.MULTILINE)


def pin_to_paper(
    system: Running, card: str, count: int, tick: Callable[[], None]
) -> tuple[list[float], dict[str, list[float]]]:
    """Let a resident walk up to the kiosk `count` times, one after the other.

    Returns:
        The seconds from the PIN to the printer's last byte and its proof, and those of each step.

    Raises:
        BenchError: a journey was not served.
    """
    took: list[float] = []
    steps: dict[str, list[float]] = {}
    for _ in range(count):
        done = system.command("kofu-kiosk", "journey", PERSONA, "--card", card)
        found = _PIN_TO_PAPER.search(done.stdout)
        if done.returncode != 0 or found is None:
            said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
            raise BenchError(f"a journey ended with code {done.returncode}; it said: {said}")
        took.append(int(found[1]) / MS)
        for name, milliseconds in _STEP.findall(done.stdout):
            step = "print" if name.startswith("print 3") else name.strip()
            steps.setdefault(step, []).append(int(milliseconds) / MS)
        tick()
    return took, steps


def demo_times(tick: Callable[[], None]) -> list[float]:
    """Run the demo twice in one new folder; return the seconds of each run.

    Raises:
        BenchError: it did not serve the resident.
    """
    clock = SystemClock()
    times: list[float] = []
    with short_folder() as folder:
        for _ in range(2):
            begun = clock.monotonic()
            code, said = _demo(folder)
            if code != 0:
                raise BenchError(f"the demo ended with code {code}; it said: {said}")
            times.append(clock.monotonic() - begun)
            tick()
    return times


def _demo(folder: Path) -> tuple[int, str]:
    words = [sys.executable, "deploy/demo.py", "--once", "--card", "in-process"]
    with subprocess.Popen(  # noqa: S603 - our own script
        words,
        cwd=ROOT,
        env={**os.environ, "KOFU_VAR": str(folder)},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as demo:
        try:
            said, _ = demo.communicate(timeout=DEMO_SECONDS)
        except subprocess.TimeoutExpired:
            return 1, f"nothing for {DEMO_SECONDS} s"
        finally:
            if demo.poll() is None:
                demo.terminate()  # it stops every process that it started
                demo.wait()
    lines = [line for line in said.splitlines() if line.startswith("demo: ")]
    return demo.returncode, (lines or said.splitlines() or ["nothing"])[-1]
