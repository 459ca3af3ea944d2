"""The whole system in a folder of its own, a bare application beside it, and the clients."""

import multiprocessing
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from figures import BenchError, Load
from residents import Client, Window, work

from dedicated_line.clock import SystemClock
from deploy.running import BIN, KIOSKS, ROOT, CannotRunError, Running

FIRST_KIOSK: Final = 11
"""Clients are kiosks k000011, k000012, … on circuits 127.1.0.11, …; none of the sample world's."""
PERSONAS: Final = (
    "shimonoseki-taro",
    "ube-maria",
    "hofu-taka",
    "yamaguchi-hanako",
    "shimonoseki-tsuma",
    "ube-nabe",
    "hofu-saki",
    "shimonoseki-kyuuji",
)
"""One for each client, from the four municipalities that take part; all are served today."""
READY_SECONDS: Final = 120.0
"""For processes to start on a busy machine."""
GRACE_SECONDS: Final = 30.0
"""For a window's last round to end."""
STOP_SECONDS: Final = 10
LOOK_SECONDS: Final = 0.2
KEPT: Final = frozenset({"KOFU_WORKERS", "KOFU_THREADS"})
"""Settings of the caller that a measurement may be run with."""


def forget_settings() -> None:
    """Take the caller's settings out of the environment, but those that may be measured."""
    for name in list(os.environ):
        if name.startswith("KOFU_") and name not in KEPT:
            del os.environ[name]


@contextmanager
def short_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards, with a path short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="kofu-b-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def running_system(card: str, clients: int) -> Iterator[Running]:
    """Start the whole Procfile with so many more kiosks; stop it and wait at the end.

    Raises:
        BenchError: it does not start.
    """
    with short_folder() as folder:
        system = Running(var=folder, card=card)
        try:
            system.prepare()
            system.load()
            for number in range(FIRST_KIOSK, FIRST_KIOSK + clients):
                words = ["kofu-line", "kiosk", "add", f"k{number:06}"]
                _must(system, *words, "--circuit", f"127.1.0.{number}", "--name", "client")
            _must(system, "kofu-backend", "kiosks", "load")
            system.start()
            yield system
        except CannotRunError as error:
            raise BenchError(f"the system does not start: {error}") from None
        finally:
            system.stop()


def _must(system: Running, *words: str) -> None:
    done = system.command(*words)
    if done.returncode != 0:
        raise BenchError(done.stderr.strip() or f"{' '.join(words)} failed")


@contextmanager
def bare_line(system: Running) -> Iterator[int]:
    """Serve the bare application through a line and a wire of its own; give the wire's port.

    Certificates, kiosks, Redis, workers and threads are the system's.
    """
    circuits = [circuit for circuit, _ in KIOSKS.values()]
    line_port, wire_port = _free_port("127.0.0.1"), _free_port(*circuits)
    with short_folder() as folder, ExitStack() as stack:
        (folder / "line").symlink_to(system.state.absolute() / "line")
        environment = {
            **system.environment,
            "KOFU_VAR": str(folder),
            "KOFU_REDIS": f"unix://{system.state.absolute() / 'run' / 'redis.sock'}",
            "KOFU_LINE_PORT": str(line_port),
            "KOFU_WIRE_PORT": str(wire_port),
        }
        hello = [sys.executable, str(ROOT / "benchmarks" / "hello.py")]
        for words in (hello, [str(BIN / "kofu-line"), "serve"], [str(BIN / "kofu-line"), "wire"]):
            stack.enter_context(ready_process(words, environment, folder))
        yield wire_port


def _free_port(*addresses: str) -> int:
    """Return a port that is free on all addresses."""
    while True:
        with socket.socket() as first:
            first.bind((addresses[0], 0))
            port: int = first.getsockname()[1]
            try:
                for address in addresses[1:]:
                    with socket.socket() as other:
                        other.bind((address, port))
            except OSError:
                continue
            return port


@contextmanager
def ready_process(
    words: list[str], environment: Mapping[str, str], folder: Path, sign: str = " ready"
) -> Iterator[subprocess.Popen[str]]:
    """Start a process, wait for the line that says that it is ready, and end it afterwards.

    Raises:
        BenchError: it ended before, or took too long.
    """
    log = folder / f"{Path(words[-1]).name}.log"
    ready = threading.Event()
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(  # noqa: S603 - our own commands
            words,
            env=dict(environment),
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        last: list[str] = []

        def listen() -> None:
            for line in process.stdout or ():
                out.write(line)
                last[:] = [line.strip() or next(iter(last), "")]
                if sign in line:
                    ready.set()
            ready.set()

        reader = threading.Thread(target=listen, daemon=True)
        reader.start()
        try:
            if not ready.wait(READY_SECONDS) or process.poll() is not None:
                said = next(iter(last), "nothing")
                raise BenchError(f"{Path(words[-1]).name} does not start; it said: {said}")
            yield process
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
            reader.join(STOP_SECONDS)


@dataclass(frozen=True)
class _Worker:
    process: BaseProcess
    pipe: "Connection[Window | None, Load]"


class Clients:
    """Processes that load the system, each with one kiosk and one card."""

    def __init__(self, workers: list[_Worker]) -> None:
        self._workers = workers

    @property
    def pids(self) -> list[int]:
        """Return their process ids."""
        return [worker.process.pid or 0 for worker in self._workers]

    def run(self, count: int, window: Window, tick: Callable[[float], None]) -> list[Load]:
        """Have the first `count` clients work a window; `tick` gets the seconds gone so far."""
        workers = self._workers[:count]
        for worker in workers:
            worker.pipe.send(window)
        return _collect(workers, window.seconds + GRACE_SECONDS, tick)


def _collect(workers: list[_Worker], seconds: float, tick: Callable[[float], None]) -> list[Load]:
    clock = SystemClock()
    begun = clock.monotonic()
    loads: list[Load] = []
    waiting = {worker.pipe for worker in workers}
    while waiting:
        gone = clock.monotonic() - begun
        tick(gone)
        if gone > seconds:
            raise BenchError(f"a client gave no answer in {seconds:.0f} s; nothing was measured")
        for pipe in wait(list(waiting), LOOK_SECONDS):
            if not isinstance(pipe, Connection):
                continue
            try:
                load: Load = pipe.recv()
            except EOFError:
                raise BenchError("a client has ended; nothing was measured") from None
            if load.failed:
                raise BenchError(load.failed)
            loads.append(load)
            waiting.discard(pipe)
    return loads


@contextmanager
def clients_of(system: Running, count: int, hello_port: int) -> Iterator[Clients]:
    """Start so many clients of a system; end them afterwards."""
    context = multiprocessing.get_context("spawn")
    workers: list[_Worker] = []
    os.environ.update(
        {name: text for name, text in system.environment.items() if name.startswith("KOFU_")}
    )
    try:
        for number in range(count):
            ours, theirs = context.Pipe()
            client = Client(
                kiosk=f"k{FIRST_KIOSK + number:06}",
                persona=PERSONAS[number % len(PERSONAS)],
                hello_port=hello_port,
            )
            process = context.Process(target=work, args=(client, theirs), daemon=True)
            process.start()
            theirs.close()
            workers.append(_Worker(process, ours))
        _collect(workers, READY_SECONDS, lambda _gone: None)
        yield Clients(workers)
    finally:
        forget_settings()
        for worker in workers:
            worker.pipe.close()
        for worker in workers:
            worker.process.join(STOP_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
