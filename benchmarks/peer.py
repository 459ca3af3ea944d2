"""The peer: django-ca in an environment of its own, through gunicorn, on a throw-away database."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from figures import BenchError, Load
from installation import ready_process

from dedicated_line.clock import SystemClock
from deploy.running import ROOT

LOCK: Final = ROOT / "benchmarks" / "peers.lock"
PLACE: Final = ROOT / "var" / "peers"
THREADS: Final = 8
SIGN: Final = "sign and store a certificate"
OK: Final = 200
POSTGRESQL: Final = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Peer:
    """A django-ca that answers."""

    socket: Path
    database: str
    """What it keeps its certificates in, for people."""


def environment() -> Path:
    """Make the peer's environment where it is missing or older than its lock; return its folder.

    Raises:
        BenchError: neither pip nor uv can install it.
    """
    place = PLACE / "venv"
    mark = place / "installed.lock"
    if mark.is_file() and mark.read_bytes() == LOCK.read_bytes():
        return place
    shutil.rmtree(place, ignore_errors=True)
    _tell("making an environment for django-ca in var/peers (once, about a minute)")
    _command([sys.executable, "-m", "venv", str(place)], "an environment cannot be made")
    python = str(place / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    uv = [str(Path(sys.executable).parent / "uv"), "pip", "install", "--quiet", "--python", python]
    what = ["--require-hashes", "-r", str(LOCK)]
    try:
        _command([*pip, *what], "pip cannot install django-ca")
    except BenchError as first:
        _tell(f"{first}; trying uv")
        _command([*uv, *what], "neither pip nor uv can install django-ca")
    shutil.copyfile(LOCK, mark)
    return place


def _tell(sentence: str) -> None:
    print(f"bench-peers: {sentence}", file=sys.stderr)


def _command(words: list[str], failed: str, more: Mapping[str, str] | None = None) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        words,
        cwd=ROOT,
        env={**os.environ, **(more or {})},
        text=True,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "nothing").splitlines()[-1]
        raise BenchError(f"{failed}; it said: {said}")


@contextmanager
def _postgresql(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Run a PostgreSQL of our own; give engine, name for people, and where it is."""
    programs = max(POSTGRESQL.glob("*/bin/initdb")).parent
    data = folder / "pg"
    data.mkdir()
    folder.chmod(0o755)  # the server runs as another user
    shutil.chown(data, "postgres")
    as_postgres = ["runuser", "-u", "postgres", "--"]
    initdb = [*as_postgres, str(programs / "initdb"), "-D", str(data), "-A", "trust", "-E", "UTF8"]
    _command(initdb, "initdb failed")
    server = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"]
    server += ["--pdeathsig", "INT", str(programs / "postgres"), "-D", str(data), "-k", str(data)]
    server += ["-c", "listen_addresses=", "-c", "log_destination=stderr"]
    with ready_process(server, os.environ, folder, "ready to accept connections"):
        yield "postgresql", f"PostgreSQL {programs.parent.name}, synchronous commit", data


@contextmanager
def _sqlite(folder: Path) -> Iterator[tuple[str, str, Path]]:
    """Give engine, name for people, and where the file is."""
    yield "sqlite", "SQLite (WAL, synchronous FULL)", folder / "peer.sqlite"


def _can_run_postgresql() -> bool:
    return os.geteuid() == 0 and bool(list(POSTGRESQL.glob("*/bin/initdb")))


@contextmanager
def running_peer(place: Path, folder: Path, workers: int) -> Iterator[Peer]:
    """Serve django-ca with a new CA (P-256) until the end of the block.

    Raises:
        BenchError: it does not start.
    """
    database = _postgresql if _can_run_postgresql() else _sqlite
    python = str(place / "bin" / "python")
    with ExitStack() as stack:
        engine, name, where = stack.enter_context(database(folder))
        settings = {
            "BENCH_ENGINE": engine,
            "BENCH_DATABASE": str(where),
            "BENCH_KEYS": str(folder / "keys"),
            "DJANGO_SETTINGS_MODULE": "django_ca_settings",
            "PYTHONPATH": str(ROOT / "benchmarks"),
            "PYTHONUNBUFFERED": "1",
        }
        django = [python, "-m", "django"]
        _command([*django, "migrate", "-v0"], "django-ca's database cannot be made", settings)
        _command([*django, "init_ca", "bench", "CN=bench"], "no CA can be made", settings)
        gunicorn = [python, "-m", "gunicorn", "--worker-class", "gthread", "--no-control-socket"]
        gunicorn += ["--workers", str(workers), "--threads", str(THREADS), "--keep-alive", "30"]
        listener = folder / "peer.sock"
        gunicorn += ["--bind", f"unix:{listener}", "django.core.wsgi:get_wsgi_application()"]
        stack.enter_context(
            ready_process(gunicorn, {**os.environ, **settings}, folder, "Booting worker")
        )
        yield Peer(listener, name)


def load_peer(
    peer: Peer, clients: int, seconds: float, tick: Callable[[float], None]
) -> list[Load]:
    """Have certificates signed by so many clients at once, each on one kept connection.

    Raises:
        BenchError: the peer does not sign.
    """
    clock = SystemClock()
    loads = [Load(steps={SIGN: []}) for _ in range(clients)]

    def work(load: Load, body: bytes) -> None:
        begun = clock.monotonic()
        try:
            with closing(_connection(peer.socket)) as line:
                while load.seconds < seconds:
                    before = clock.monotonic()
                    _sign(line, body)
                    after = clock.monotonic()
                    load.steps[SIGN].append(after - before)
                    load.done += 1
                    load.seconds = after - begun
        except (OSError, http.client.HTTPException, BenchError) as error:
            load.failed = f"django-ca does not sign: {str(error) or type(error).__name__}"

    threads = [threading.Thread(target=work, args=(load, _csr())) for load in loads]
    begun = clock.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            tick(clock.monotonic() - begun)
            thread.join(0.2)
    return loads


def _connection(path: Path) -> http.client.HTTPConnection:
    line = http.client.HTTPConnection("ca.example.com", timeout=60)
    line.sock = socket.socket(socket.AF_UNIX)
    line.sock.settimeout(60)
    line.sock.connect(str(path))
    return line


def _sign(line: http.client.HTTPConnection, body: bytes) -> None:
    line.request("POST", "/sign", body, {"Content-Type": "application/pkcs10"})
    answer = line.getresponse()
    said = answer.read()
    if answer.status != OK or not said.startswith(b"-----BEGIN CERTIFICATE-----"):
        raise BenchError(f"status {answer.status}")


def _csr() -> bytes:
    """Return a certificate signing request (PEM) for a new P-256 key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "resident.example.com")])
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(name)
    return request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
