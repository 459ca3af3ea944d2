"""Coverage-guided fuzzing of what a card sends, each piece in a process of its own (atheris)."""

import random  # noqa: TID251 - seeded: a campaign's inputs must come again
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TARGETS = Path(__file__).with_name("card_fuzz_targets.py")
LONGEST_SECONDS = 900


def _fuzz(target: str, source: random.Random, count: int) -> list[str]:
    """Let libFuzzer try so many inputs on a target; return a line for each failure."""
    with tempfile.TemporaryDirectory(prefix="kofu-fuzz-") as folder:
        done = subprocess.run(
            [sys.executable, TARGETS, target, f"{count}", f"{source.randrange(1, 2**31)}", folder],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LONGEST_SECONDS,
            check=False,
        )
    failures = [line for line in done.stdout.splitlines() if line.startswith("FAILURE ")]
    ran = re.search(r"Done (\d+) runs", done.stderr)
    if ran is None or int(ran.group(1)) < count or done.returncode:
        failures.append(f"the fuzzer ended early: {done.stderr[-400:]}")
    return failures


def dialogues(source: random.Random, count: int) -> list[str]:
    """Fuzz the dialogue with what a card answers."""
    return _fuzz("dialogue", source, count)


def certificates(source: random.Random, count: int) -> list[str]:
    """Fuzz what reads certificates, at the centre and at the kiosk."""
    return _fuzz("certificate", source, count)
