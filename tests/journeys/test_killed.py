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

CHAINS = [
    [("redis", "release"), ("wire", "key list"), ("recovery", "order, compose and seal")],
    [("issuer", "open session"), ("line", "release"), ("municipality", "key list")],
    [("kiosk-api", "order, compose and seal"), ("printer", "release")],
    [("jpki-centre", "key list"), ("operators", "release"), ("kiosk", "open session")],
]
"""Which process is killed after which step of a journey; a chain shares one world, and each start
after a kill shows that the kill before it has left nothing behind."""
FINAL = {"printed", "spoiled", "abandoned", "refused", "unknown"}
"""`unknown` is final for the machine: two persons decide it, on evidence."""
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


def _settled(system: Running) -> Counter[str]:
    """Let the next resident be served, and recovery end what stopped moving; return the states."""
    served = journey(system, "shimonoseki-taro")
    assert served.returncode == 0, served.stdout + served.stderr
    for _ in range(60):
        if set(_states(system)) <= FINAL:
            break
        system.wait_for_end(0.5)
    return _states(system)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: "-".join(name for name, _ in chain))
def test_a_killed_process_leads_to_a_clear_end_and_no_second_issue(
    worlds: Path, chain: list[tuple[str, str]]
) -> None:
    quick = {"KOFU_ORDER_TIMEOUT": "3"}
    with running_system(worlds, more=quick) as system:
        for process, moment in chain:
            code, said = _journey_interrupted(system, process, moment)
            assert system.wait_for_end(30) == f"the process {process} has ended (code -9)"
            assert code in {0, 1, 3}, said
            assert "Traceback" not in said
            assert any(word in said for word in ("served", "refused", "fault")), said
            system.restart()
            states = _settled(system)
            assert set(states) <= FINAL, (process, states)
            most = states["printed"] + states["unknown"]
            assert states["printed"] <= _printed(system) <= most, (process, states)
