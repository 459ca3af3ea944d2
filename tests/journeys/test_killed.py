"""A killed process leads to a clear end: no hang, no second issue, nothing half done."""

import os
import signal
import sqlite3
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from running import Running
from systems import journey, running_system

pytestmark = pytest.mark.sockets

PROCESSES = [
    "redis",
    "jpki-centre",
    "issuer",
    "kiosk-api",
    "recovery",
    "municipality",
    "operators",
    "line",
    "wire",
    "printer",
    "kiosk",
]
MOMENTS = ["key list", "order, compose and seal", "release"]
"""Steps of a journey after which a process is killed, shared out over the processes."""
FINAL = {"printed", "spoiled", "abandoned", "refused"}
JOURNEY_SECONDS = 90


def _states(system: Running) -> Counter[str]:
    database = sqlite3.connect(f"file:{system.state / 'centre.db'}?mode=ro", uri=True)
    try:
        return Counter(state for (state,) in database.execute("select state from issue"))
    finally:
        database.close()


def _printed(system: Running) -> int:
    return len(list((system.state / "printers" / "k000002").glob("*.png")))


def _journey_interrupted(system: Running, process: str, moment: str) -> tuple[int, str]:
    """Let a resident walk up; kill a process once a step has been shown."""
    words = ["kofu-kiosk", "journey", "shimonoseki-taro", "--card", system.card]
    said = []
    with subprocess.Popen(
        words,
        env=system.environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as person:
        assert person.stdout is not None
        for line in person.stdout:
            said.append(line)
            if line.startswith(moment):
                os.kill(system.pids[process], signal.SIGKILL)
        return person.wait(JOURNEY_SECONDS), "".join(said)


@pytest.mark.parametrize(
    ("process", "moment"),
    [(process, MOMENTS[number % 3]) for number, process in enumerate(PROCESSES)],
)
def test_a_killed_process_leads_to_a_clear_end_and_no_second_issue(
    worlds: Path, process: str, moment: str
) -> None:
    with running_system(worlds) as system:
        code, said = _journey_interrupted(system, process, moment)
        assert system.wait_for_end(30) == f"the process {process} has ended (code -9)"
        assert code in {0, 1, 3}, said
        assert "Traceback" not in said
        last_words = said.strip().splitlines()
        assert any("served" in line or "refused" in line or "fault" in line for line in last_words)
        system.stop()

        again = Running(var=system.var, card=system.card, more={"KOFU_ORDER_TIMEOUT": "1"})
        again.prepare()
        again.start()
        try:
            settled = journey(again, "shimonoseki-taro")
            assert settled.returncode == 0, settled.stdout + settled.stderr
            for _ in range(40):
                if set(_states(again)) <= FINAL:
                    break
                again.wait_for_end(0.5)
            states = _states(again)
            assert set(states) <= FINAL, states
            assert states["printed"] == _printed(again)
        finally:
            again.stop()
