"""python-escpos, imported as we import it."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from printers.escpos.library import Network


def _import(folder: Path, *limits: str) -> subprocess.CompletedProcess[str]:
    code = "import printers.escpos.transport, escpos.capabilities as c; print(len(c.CAPABILITIES))"
    return subprocess.run(
        [*limits, sys.executable, "-c", code],
        env={"TMPDIR": str(folder), "HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
        text=True,
        capture_output=True,
        check=False,
    )


def test_importing_leaves_nothing_on_disk(tmp_path: Path) -> None:
    done = _import(tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_printers_it_knows_are_those_of_its_own_file() -> None:
    from escpos.capabilities import CAPABILITIES

    own = json.loads(files("escpos").joinpath("capabilities.json").read_text("utf-8"))
    assert own == CAPABILITIES
    assert Network.__module__ == "escpos.printer.network"


@pytest.mark.sockets
def test_a_full_disk_is_said_in_one_sentence(tmp_path: Path) -> None:
    command = str(Path(sys.executable).with_name("kofu-printer"))
    done = subprocess.run(
        ["prlimit", "--fsize=0", command, "status"],
        env={"TMPDIR": str(tmp_path), "KOFU_VAR": str(tmp_path), "PATH": "/usr/bin:/bin"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert "free the disk" in done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
