import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from backend.cli import kofu_backend
from backend.database import issuer_metadata, open_database
from backend.issuer import tables
from dedicated_line.errors import KofuError

assert tables.issue.metadata is issuer_metadata


@pytest.fixture
def var(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state folder of its own, short enough for sockets, with an empty database."""
    with tempfile.TemporaryDirectory(prefix="kofu-") as name:
        folder = Path(name)
        monkeypatch.setenv("KOFU_VAR", str(folder))
        monkeypatch.setenv("KOFU_ENVIRONMENT", "simulation")
        engine = open_database(f"sqlite:///{folder / 'issuer.db'}")
        issuer_metadata.create_all(engine)
        engine.dispose()
        yield folder


def run(*words: str) -> Result:
    return CliRunner().invoke(kofu_backend, words, standalone_mode=False)


def complaint(*words: str) -> str:
    error = run(*words).exception
    assert isinstance(error, KofuError)
    return str(error)


def register_file(folder: Path, records: Any, *more: str) -> Path:
    file = folder / "register.jsonl"
    file.write_bytes(b"\n".join(records.lines(records.family())) + "".join(more).encode())
    return file


def test_a_register_is_imported_and_shown_without_names(var: Path, records: Any) -> None:
    result = run("register", "import", str(register_file(var, records)))
    assert result.return_value == 0
    assert "4 lines accepted, 0 refused" in result.output
    shown = run("register", "show").output
    assert "352012" in shown
    assert "見本　太郎" not in shown


def test_refused_lines_are_told_with_number_and_reason(var: Path, records: Any) -> None:
    result = run("register", "import", str(register_file(var, records, "\n{}\n")))
    assert result.return_value == 1
    assert "register.jsonl:5: " in result.stderr
    assert "4 lines accepted, 1 refused" in result.stdout


def test_keys_are_made_for_all_whom_the_register_holds(var: Path, records: Any) -> None:
    run("register", "import", str(register_file(var, records)))
    assert "2 keys, published" in run("keys", "init").output
    assert "2 keys, unchanged" in run("keys", "init").output
    assert "4 keys, published" in run("keys", "init", "--municipality", "352021").output
    shown = run("keys", "show").output
    assert "version 2" in shown
    assert "352021-seal-1" in shown


def test_whatever_is_missing_is_said_with_what_to_do(var: Path) -> None:
    assert "import a register" in complaint("keys", "init")
    assert "keys init" in complaint("keys", "show")
    assert "world load" in complaint("issuer")
    (var / "issuer.db").unlink()
    for words in (("issuer",), ("register", "show"), ("keys", "init")):
        assert "kofu-backend migrate" in complaint(*words)


def test_a_code_with_the_wrong_check_digit_is_wrong_usage(var: Path) -> None:
    result = run("keys", "init", "--municipality", "352013")
    assert "check digit" in str(result.exception)
    assert not (var / "keys").exists()


@pytest.mark.parametrize(
    "words", [("issuer",), ("keys",), ("keys", "init"), ("register",), ("register", "import")]
)
def test_every_command_explains_itself(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(kofu_backend, [*words, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


@pytest.mark.sockets
def test_the_issuing_server_answers_on_its_socket_and_ends_when_told(
    var: Path, records: Any, jpki_world: Any
) -> None:
    shutil.copytree(jpki_world.trust_folder, var / "trust" / "jpki")
    run("register", "import", str(register_file(var, records)))
    run("keys", "init")
    command = [Path(sys.executable).with_name("kofu-backend"), "issuer"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(os.environ)
    ) as process:
        try:
            assert process.stdout is not None
            assert "ready" in process.stdout.readline()
            assert ask(var, "GET", "/readyz").startswith("HTTP/1.1 200")
            answer = ask(var, "POST", "/v1/holders", "{}")
            assert answer.startswith("HTTP/1.1 400")
            problem = json.loads(answer.partition("\r\n\r\n")[2])
            assert problem["code"] == "malformed"
        finally:
            process.send_signal(signal.SIGTERM)
            _, complaints = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in complaints


def ask(var: Path, method: str, path: str, body: str = "") -> str:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(var / "run" / "issuer.sock"))
        head = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return answer.decode()
