"""How every web process of the backend runs: gunicorn, threads, one listener."""

import errno
import os
import re
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.errors import AppImportError
from gunicorn.glogging import Logger

from backend.settings import BackendSettings
from dedicated_line.errors import Exit, KofuError

UNIX: Final = "unix:"
GRACEFUL_SECONDS: Final = 3
"""What a worker may still take for the request in hand when it is told to stop."""
SILENCE_SECONDS: Final = 30
"""A worker that gives no sign of life for so long is replaced (gunicorn's ``timeout``)."""
KEEPALIVE_SECONDS: Final = 30
BACKLOG: Final = 512
SOCKET_UMASK: Final = 0o007
"""Owner and group may connect, nobody else."""
PROBE_SECONDS: Final = 1.0
ACCESS_FORMAT: Final = '%(t)s %(m)s "%(U)s" %(s)s %(B)s bytes %(M)s ms'
"""Method, path without ids and without query, status, size, time: no header, no body."""

_IDENTIFIER = re.compile(r"[0-9a-fA-F]{32}")


class TakenError(KofuError):
    """Somebody else listens where this process should."""


def without_identifiers(path: str) -> str:
    """Return a path in which ids of sessions and orders are left out."""
    return _IDENTIFIER.sub("…", path)


class _QuietLogger(Logger):
    """gunicorn's logger, for paths without ids."""

    def atoms(
        self, resp: Any, req: Any, environ: Mapping[str, Any], request_time: Any
    ) -> dict[str, Any]:
        """Return what the access log may use: nothing of headers, query or ids."""
        atoms: dict[str, Any] = super().atoms(resp, req, environ, request_time)
        kept = {name: atoms[name] for name in ("t", "m", "s", "B", "M")}
        return kept | {"U": without_identifiers(str(environ.get("PATH_INFO", "-")))}


class _Served(BaseApplication):
    """One Flask application, made anew in each worker: no connection is shared over a fork."""

    def __init__(self, factory: Callable[[], Flask], options: Mapping[str, Any]) -> None:
        self._factory = factory
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Take the options given, and no file, argument or environment variable."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Make the application; a fault that is understood stops the process with its sentence."""
        try:
            return self._factory()
        except KofuError as error:
            raise AppImportError(f"kofu-backend: {error}") from error


def _refuse_if_taken(bind: str, name: str) -> None:
    """Raise TakenError when somebody listens there; gunicorn itself would take a socket over."""
    if bind.startswith(UNIX):
        path = bind.removeprefix(UNIX)
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(PROBE_SECONDS)
            if probe.connect_ex(path) == 0:
                raise TakenError(
                    f"{name}: another process listens on {path}; stop it, or set KOFU_VAR to "
                    "another folder"
                )
        return
    host, _, port = bind.rpartition(":")
    with socket.socket(socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise TakenError(
                    f"{name}: port {port} is taken; stop who listens there, or set the port to a "
                    "free one in the settings"
                ) from error
            raise TakenError(f"{name}: cannot listen on {bind}: {error.strerror}") from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KofuError(
            f"cannot make the folder {folder} ({error.strerror}); "
            "set KOFU_VAR to a folder that can be written"
        ) from error


def run_gunicorn(
    factory: Callable[[], Flask], bind: str, settings: BackendSettings, name: str
) -> None:
    """Serve until SIGTERM; print one line when the first worker can answer.

    Args:
        factory: makes the application, called once in each worker after the fork.
        bind: ``unix:PATH`` or ``ADDRESS:PORT``.
        settings: how many workers and threads; where logs go.
        name: what people call this process.

    Raises:
        TakenError: the port or socket is in use.
        KofuError: the application cannot be made.
    """
    log = settings.state / "log"
    _make_folder(log)
    if bind.startswith(UNIX):
        _make_folder(Path(bind.removeprefix(UNIX)).parent)
    _refuse_if_taken(bind, name)

    def _ready(worker: Any) -> None:
        if worker.age == 1:
            sys.stdout.write(f"kofu-backend {name} ready on {bind}\n")
            sys.stdout.flush()

    options = {
        "bind": bind,
        "worker_class": "gthread",
        "workers": settings.workers,
        "threads": settings.threads,
        "timeout": SILENCE_SECONDS,
        "graceful_timeout": GRACEFUL_SECONDS,
        "keepalive": KEEPALIVE_SECONDS,
        "backlog": BACKLOG,
        "umask": SOCKET_UMASK,
        "preload_app": False,
        "control_socket_disable": True,
        "proc_name": f"kofu-{name}",
        "loglevel": "warning",
        "errorlog": "-",
        "accesslog": str(log / f"access-{name}.log"),
        "access_log_format": ACCESS_FORMAT,
        "logger_class": _QuietLogger,
        "post_worker_init": _ready,
    }
    master = os.getpid()
    try:
        _Served(factory, options).run()
    except SystemExit as end:
        if os.getpid() == master and end.code not in {None, 0}:
            raise SystemExit(Exit.FAULT) from None
        raise
