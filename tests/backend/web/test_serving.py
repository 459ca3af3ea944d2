"""How a web process of the backend starts, says that a place is taken, and ends."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from backend.web.serving import without_identifiers

pytestmark = pytest.mark.sockets
PROGRAM = """
import sys
from pathlib import Path
from flask import Flask
from backend.settings import BackendSettings
from backend.web.problems import handle_errors
from backend.web.serving import run_gunicorn
from dedicated_line.command import run_command
from dedicated_line.errors import KofuError
import click

def factory():
    if sys.argv[2] == "broken":
        raise KofuError("a part is missing; make it")
    app = Flask("x")
    handle_errors(app, part="x", log_folder=Path(sys.argv[3]) / "log")
    @app.get("/hello/<name>")
    def hello(name):
        return "hello"
    return app

@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("rest", nargs=-1)
def command(rest):
    run_gunicorn(factory, sys.argv[1], BackendSettings(var=Path(sys.argv[3])), "test")

run_command(command, "kofu-test")
"""


class UnixConnection(HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("unix", timeout=20)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self._path))


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="kofu-") as name:
        yield Path(name)


def start(bind: str, folder: Path, how: str = "well") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, bind, how, folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "default"},
    )


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    return process.returncode


def test_it_says_when_it_is_ready_and_ends_when_told(folder: Path) -> None:
    path = folder / "run" / "a.sock"
    process = start(f"unix:{path}", folder)
    assert process.stdout is not None
    assert process.stdout.readline() == f"kofu-backend test ready on unix:{path}\n"
    connection = UnixConnection(path)
    connection.request("GET", f"/hello/{'ab' * 16}?name=made-up")
    assert connection.getresponse().read() == b"hello"
    connection.close()
    assert path.stat().st_mode & 0o007 == 0  # nobody else may connect
    second = start(f"unix:{path}", folder)
    _, said = second.communicate(timeout=30)
    assert second.returncode == 1
    assert said.count("\n") == 1
    assert "another process listens" in said
    assert stop(process) == 0
    assert not path.exists()
    log = (folder / "log" / "access-test.log").read_text()
    assert '"/hello/…" 200' in log
    assert "made-up" not in log
    assert "abab" not in log


def test_a_socket_that_nobody_listens_on_is_taken_over(folder: Path) -> None:
    path = folder / "a.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    process = start(f"unix:{path}", folder)
    assert process.stdout is not None
    assert "ready" in process.stdout.readline()
    assert stop(process) == 0


def test_a_taken_port_is_one_sentence(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start(f"127.0.0.1:{port}", folder)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said == (
        f"kofu-test: test: port {port} is taken; stop who listens there, or set the port to a "
        "free one in the settings\n"
    )


def test_an_application_that_cannot_be_made_says_why_and_ends(folder: Path) -> None:
    process = start(f"unix:{folder / 'a.sock'}", folder, "broken")
    out, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "a part is missing; make it" in said
    assert "Traceback" not in said
    assert out == ""


def test_a_folder_that_cannot_be_made_is_one_sentence(folder: Path) -> None:
    (folder / "file").write_text("no folder")
    process = start(f"unix:{folder / 'a.sock'}", folder / "file")
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "KOFU_VAR" in said


def test_ids_are_left_out_of_paths() -> None:
    path = f"/v1/sessions/{'0f' * 16}/holder"
    assert without_identifiers(path) == "/v1/sessions/…/holder"
