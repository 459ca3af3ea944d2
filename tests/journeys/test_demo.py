"""``make demo`` as a newcomer meets it, on the machine's real pcscd."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from running import BIN, ROOT
from systems import short_folder

DEMO = [sys.executable, str(ROOT / "deploy" / "demo.py")]
DEMO_SECONDS = 110


def _demo(var: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KOFU_VAR": str(var), **settings}
    return subprocess.run(
        [*DEMO, *words],
        env=environment,
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=DEMO_SECONDS,
        check=False,
    )


@pytest.mark.pcscd
def test_one_command_brings_a_certificate_from_card_to_paper() -> None:
    with short_folder() as var:
        done = _demo(var, "--once", "--card", "pcscd")
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.splitlines()[-1] == "card: pcscd"
        for suffix in ("png", "escpos", "pdf"):
            assert (var / "demo" / f"certificate-1.{suffix}").stat().st_size > 1000
        verified = subprocess.run(
            [
                str(BIN / "kofu-printer"),
                "verify",
                str(var / "demo" / "certificate-1.png"),
                "--keys",
                str(var / "keys" / "key-list.cose"),
                "--root",
                str(var / "trust" / "root.pem"),
            ],
            text=True,
            capture_output=True,
            check=False,
        )
        assert verified.returncode == 0, verified.stderr
        assert "352012" in verified.stdout


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("words", "settings", "sentence"),
    [
        ([], {"KOFU_NOW": "yesterday"}, "KOFU_NOW is 'yesterday'; write a time with its offset"),
        ([], {"KOFU_NOW": "2017-08-15T10:00"}, "write a time with its offset"),
        ([], {"KOFU_KIOSK_PORT": "many"}, "KOFU_KIOSK_PORT is 'many'"),
        (["--wire", "string"], {}, "string"),
    ],
)
def test_a_wrong_setting_ends_in_one_clear_sentence(
    words: list[str], settings: dict[str, str], sentence: str
) -> None:
    with short_folder() as var:
        done = _demo(var, "--once", "--card", "in-process", *words, **settings)
        assert done.returncode != 0
        assert sentence in done.stderr
        assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.sockets
def test_a_taken_port_is_named() -> None:
    import socket

    with short_folder() as var, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = _demo(var, "--once", "--card", "in-process", KOFU_OPERATORS_PORT=str(port))
        assert done.returncode == 1
        assert f"KOFU_OPERATORS_PORT: port {port} is taken" in done.stderr


@pytest.mark.sockets
def test_a_var_that_cannot_be_written_is_named() -> None:
    with short_folder() as var:
        (var / "file").write_text("not a folder")
        done = _demo(var / "file", "--once", "--card", "in-process")
        assert done.returncode == 1
        assert "cannot be written" in done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.sockets
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_when_honcho_is_killed_no_child_is_left(end: signal.Signals, worlds: Path) -> None:
    from systems import running_system

    with running_system(worlds) as system:
        assert system.honcho is not None
        pids = dict(system.pids)
        assert set(pids) == set(system.processes())
        os.kill(system.honcho.pid, end)
        system.honcho.wait(30)
        for name, pid in pids.items():
            assert _gone(pid), f"{name} lives on"


def _gone(pid: int) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    import select

    try:
        return bool(select.select([handle], [], [], 10)[0])
    finally:
        os.close(handle)
