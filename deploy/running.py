"""The whole of Kofu on one machine: ports, settings, the Procfile's processes, their end."""

import fcntl
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dedicated_line.clock import SystemClock

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
KIOSKS = {"k000001": ("127.1.0.1", "下関駅前 見本店"), "k000002": ("127.1.0.2", "見本 検査台")}
"""Kiosk → address of its circuit, and where it stands."""
PORTS = {
    "KOFU_KIOSK_PORT": 8800,
    "KOFU_MUNICIPALITY_PORT": 8801,
    "KOFU_OPERATORS_PORT": 8802,
    "KOFU_JPKI_PORT": 8803,
    "KOFU_LINE_PORT": 8810,
    "KOFU_WIRE_PORT": 8811,
    "KOFU_PRINTER_PORT": 9100,
}
PCSCD_SOCKET = "/run/pcscd/pcscd.comm"
START_SECONDS = 60
STOP_SECONDS = 15


class CannotRunError(Exception):
    """One sentence for the person at the terminal."""


def _free(port: int, addresses: Iterable[str]) -> bool:
    for address in addresses:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, port))
            except OSError:
                return False
    return True


def choose_ports(environment: Mapping[str, str]) -> dict[str, str]:
    """Return a port for each part: the configured one, else the usual one, else any free one."""
    addresses = ["127.0.0.1", *(address for address, _ in KIOSKS.values())]
    chosen: dict[str, str] = {}
    for name, usual in PORTS.items():
        wanted = environment.get(name)
        if wanted is not None:
            if not (wanted.isdigit() and 0 < int(wanted) < 2**16):
                raise CannotRunError(f"{name} is {wanted!r}; give a port number, or leave it out.")
            if not _free(int(wanted), addresses):
                raise CannotRunError(
                    f"{name}: port {wanted} is taken; give another, or leave it out for a free one."
                )
            chosen[name] = wanted
            continue
        port = usual
        while not _free(port, addresses) or str(port) in chosen.values():
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        chosen[name] = str(port)
    return chosen


def pcscd_runs() -> bool:
    """Tell whether a pcscd answers on this machine."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(PCSCD_SOCKET)
        except OSError:
            return False
    return True


def pcscd_can_start() -> str:
    """Return why pcscd cannot be started here, or an empty text."""
    if not Path("/usr/sbin/pcscd").exists():
        return "pcscd is not installed (apt-get install pcscd vsmartcard-vpcd)"
    if os.geteuid() != 0:
        return "pcscd needs root here; start it as a service, or run as root"
    return ""


@dataclass
class Running:
    """The processes of one installation in the folder `var`."""

    var: Path
    card: str
    """``pcscd`` or ``in-process``."""
    wire: str = "none"
    now: str | None = None
    last_words: str = ""
    """What that process said last."""
    more: dict[str, str] = field(default_factory=dict)
    """Further settings, as environment variables."""
    environment: dict[str, str] = field(default_factory=dict)
    honcho: subprocess.Popen[str] | None = None
    ended: str = ""
    """The first process that ended, and how; empty while all run."""
    pids: dict[str, int] = field(default_factory=dict)
    """Process id of each process of the Procfile."""
    _ready: set[str] = field(default_factory=set)
    _changed: threading.Condition = field(default_factory=threading.Condition)
    _reader: threading.Thread | None = None

    def prepare(self) -> None:
        """Say early what cannot work: ports, folder, settings."""
        self._settle(choose_ports(os.environ))
        check = self.command("kofu-backend", "world", "where")
        if check.returncode != 0:
            raise CannotRunError(check.stderr.strip() or "the settings cannot be read")
        self.state = Path(check.stdout.strip())
        (self.state / "run").mkdir(parents=True, exist_ok=True)

    def _settle(self, ports: Mapping[str, str]) -> None:
        """Write ``settings.env``, so that commands by hand find this system."""
        settings = {
            "KOFU_ENVIRONMENT": "simulation",
            "KOFU_CARD": self.card,
            "KOFU_WIRE": self.wire,
            "KOFU_NODE_MODULES": str(ROOT / "node_modules"),
            **ports,
        }
        if self.now is not None:
            settings["KOFU_NOW"] = self.now
            settings["KOFU_NOW_SINCE"] = SystemClock().real_now().isoformat()
        lines = ["# Written at each start; read by every command that is given this folder."]
        lines += [f"{name}={value}" for name, value in settings.items()]
        try:
            self.var.mkdir(parents=True, exist_ok=True)
            (self.var / "log").mkdir(exist_ok=True)
            (self.var / "settings.env").write_text("\n".join(lines) + "\n", "utf-8")
        except OSError as error:
            raise CannotRunError(
                f"the folder {self.var} cannot be written ({error.strerror}); "
                "make it writable, or set KOFU_VAR to another."
            ) from None
        self.environment = {
            **{name: value for name, value in os.environ.items() if name != "KOFU_NOW"},
            **self.more,
            **settings,
            "KOFU_VAR": str(self.var),
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
        }

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run one of the commands to its end."""
        return subprocess.run(  # noqa: S603 - our own commands
            words, env=self.environment, cwd=ROOT, text=True, capture_output=True, check=False
        )

    def load(self) -> str:
        """Make the line's certificates and the sample world where they are missing or stale."""
        said = []
        if not (self.state / "line" / "register.json").exists():
            self._must("kofu-line", "ca", "init")
            for kiosk, (circuit, name) in KIOSKS.items():
                self._must("kofu-line", "kiosk", "add", kiosk, "--circuit", circuit, "--name", name)
        said.append(self._must("kofu-backend", "world", "load"))
        if not (self.state / "demo-passwords.txt").exists():
            self._must("kofu-backend", "staff", "demo")
        return "\n".join(said).strip()

    def _must(self, *words: str) -> str:
        done = self.command(*words)
        if done.returncode != 0:
            raise CannotRunError(done.stderr.strip() or f"{' '.join(words)} failed")
        return done.stdout

    def processes(self) -> list[str]:
        """Return the Procfile's processes that this system starts."""
        names = re.findall(r"^([a-z-]+):", (ROOT / "Procfile").read_text("utf-8"), re.MULTILINE)
        if self.card == "in-process" or pcscd_runs():
            names.remove("pcscd")
        return names

    def start(self) -> None:
        """Start the Procfile and wait until every process is ready.

        One system after the other: between choosing free ports and listening on them, nobody
        else may choose.
        """
        lock = Path(tempfile.gettempdir()) / f"kofu-start-{os.geteuid()}.lock"
        with lock.open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            self._settle(choose_ports(os.environ))
            self.environment["KOFU_RUN"] = str((self.state / "run").absolute())
            self._start()

    def _start(self) -> None:
        names = self.processes()
        self.honcho = subprocess.Popen(  # noqa: S603 - our own script
            [sys.executable, "deploy/start.py", "-e", "/dev/null", "start", *names],
            env=self.environment,
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        own = set(names) - {"redis", "pcscd"}
        with self._changed:
            done = self._changed.wait_for(
                lambda: bool(self.ended) or own <= self._ready, START_SECONDS
            )
        if self.ended:
            raise CannotRunError(f"{self.ended}: {self.last_words} (all of it is in {self.log})")
        if not done:
            missing = ", ".join(sorted(own - self._ready))
            raise CannotRunError(f"not ready after {START_SECONDS} s: {missing}; see {self.log}.")

    def restart(self) -> None:
        """Stop what still runs, and start everything again in the same world."""
        self.stop()
        self.ended = ""
        self.pids.clear()
        self._ready.clear()
        self.start()

    @property
    def log(self) -> Path:
        """Return the file with everything that the processes said."""
        return self.var / "log" / "procfile.log"

    def _listen(self) -> None:
        if self.honcho is None or self.honcho.stdout is None:
            raise RuntimeError("listens only to what was started")
        words: dict[str, str] = {}
        with self.log.open("w", encoding="utf-8") as log:
            for line in self.honcho.stdout:
                log.write(line)
                log.flush()
                said = re.match(r"\S+ ([a-z-]+)\.1 +\| (.*)", line)
                stopped = re.search(r"\| ([a-z-]+)\.1 stopped \(rc=(-?\d+)\)", line)
                with self._changed:
                    began = re.search(r"\| ([a-z-]+)\.1 started \(pid=(\d+)\)", line)
                    if began:
                        self.pids[began[1]] = int(began[2])
                    if said and " ready" in said[2]:
                        self._ready.add(said[1])
                    if said:
                        words[said[1]] = said[2].strip()
                    if stopped and not self.ended:
                        self.ended = f"the process {stopped[1]} has ended (code {stopped[2]})"
                        self.last_words = words.get(stopped[1], "")
                    self._changed.notify_all()
        with self._changed:
            self.ended = self.ended or "honcho has ended"
            self._changed.notify_all()

    def wait_for_end(self, seconds: float | None = None) -> str:
        """Wait until a process ends; return which, or an empty text when the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self.ended), seconds)
            return self.ended

    def stop(self) -> None:
        """End every process and wait for them."""
        if self.honcho is None:
            return
        if self.honcho.poll() is None:
            self.honcho.send_signal(signal.SIGTERM)
        try:
            self.honcho.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.honcho.kill()
            self.honcho.wait()
        if self._reader is not None:
            self._reader.join(STOP_SECONDS)
        if self.honcho.stdout is not None:
            self.honcho.stdout.close()
