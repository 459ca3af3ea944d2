"""A household of seven fills two sheets, and both verify."""

import subprocess
from pathlib import Path

import pytest
from running import BIN, Running
from systems import journey


def _verified(system: Running, page: Path) -> str:
    words = ["--keys", str(system.state / "keys" / "key-list.cose")]
    words += ["--root", str(system.state / "trust" / "root.pem")]
    done = subprocess.run(
        [str(BIN / "kofu-printer"), "verify", str(page), *words],
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.sockets
def test_a_household_of_seven_fills_two_sheets(system: Running) -> None:
    printer = system.state / "printers" / "k000002"
    before = set(printer.glob("*.png"))
    done = journey(system, "hofu-dai", "--members", "all")
    assert done.returncode == 0, done.stdout + done.stderr
    pages = sorted(set(printer.glob("*.png")) - before)
    said = [_verified(system, page) for page in pages]
    assert ["1/2頁" in said[0], "2/2頁" in said[1], len(said)] == [True, True, 2]
