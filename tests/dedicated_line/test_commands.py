"""``kofu-line`` as a person meets it."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dedicated_line.cli import main


def _environment(folder: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KOFU_")}
    return kept | {"KOFU_VAR": str(folder)} | more


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ended]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Give a function that runs a command in this process."""
    for name in [name for name in os.environ if name.startswith("KOFU_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("KOFU_VAR", str(tmp_path))

    def command(*words: str, **more: str) -> Ended:
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["kofu-line", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        written = capsys.readouterr()
        return Ended(int(ended.value.code or 0), written.out, written.err)

    return command


def test_a_kiosk_is_enrolled_listed_and_revoked_by_command(run: Run) -> None:
    early = run("kiosk", "add", "k000001", "--circuit", "127.1.0.1")
    assert (early.returncode, early.stdout) == (1, "")
    assert early.stderr == ("kofu-line: the line has no CA yet; run 'kofu-line ca init' first\n")
    assert run("ca", "init").returncode == 0
    added = run("kiosk", "add", "k000001", "--circuit", "127.1.0.1", "--name", "下関駅前店")
    assert added.stdout.startswith("enrolled: k000001 on circuit 127.1.0.1")
    assert run("kiosk", "revoke", "k000001").returncode == 0
    listed = run("kiosk", "list")
    assert listed.stdout.split() == ["k000001", "127.1.0.1", "revoked", "下関駅前店"]


def test_wrong_usage_ends_with_2_and_one_sentence(run: Run) -> None:
    unknown = run("wire", "--profile", "x", KOFU_ENVIRONMENT="simulation")
    assert unknown.returncode == 2
    assert unknown.stderr == "kofu-line: there is no wire 'x'; choose one of none, isdn\n"


def test_the_simulated_wire_is_refused_in_production(run: Run) -> None:
    refused = run("wire")
    assert refused.returncode == 2
    assert "refused in production" in refused.stderr


@pytest.mark.parametrize("words", [["serve"], ["wire"], ["ca", "init"], ["kiosk", "add"]])
def test_every_command_explains_itself(run: Run, words: list[str]) -> None:
    explained = run(*words, "--help")
    assert explained.returncode == 0
    assert "Usage: kofu-line" in explained.stdout


@pytest.mark.sockets
def test_both_processes_say_that_they_are_ready_and_end_on_sigterm(
    run: Run, tmp_path: Path
) -> None:
    run("ca", "init")
    run("kiosk", "add", "k000001", "--circuit", "127.1.9.1")
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.1.9.1", 0)) as two,
    ):
        ports = {
            "KOFU_LINE_PORT": str(one.getsockname()[1]),
            "KOFU_WIRE_PORT": str(two.getsockname()[1]),
            "KOFU_ENVIRONMENT": "simulation",
        }
        for command in ("serve", "wire"):
            taken = run(command, **ports)
            assert taken.returncode == 1
            assert "is taken" in taken.stderr
    for command, warning in (("serve", ""), ("wire", "SIMULATED")):
        process = subprocess.Popen(
            [sys.executable, "-c", "from dedicated_line.cli import main; main()", command],
            env=_environment(tmp_path, **ports),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        process.terminate()
        _, errors = process.communicate(timeout=10)
        assert process.returncode == 0
        assert warning in errors
        assert "Traceback" not in errors
