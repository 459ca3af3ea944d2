"""Serving the screen on loopback, in a thread of the kiosk's process."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Final

from flask import Flask
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from dedicated_line.errors import KofuError

HOST: Final = "127.0.0.1"
REQUEST_SECONDS: Final = 30
"""A silent client is let go of; longer than a request for news is held."""


class PortTakenError(KofuError):
    """Another process listens there."""


class _Quiet(WSGIRequestHandler):
    """Handles requests without a line for each."""

    timeout = REQUEST_SECONDS

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the journey's own trace tells what happens."""


def listen(port: int) -> socket.socket:
    """Take the screen's port; raise PortTakenError when somebody else has it."""
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise PortTakenError(
            f"port {port} on {HOST} cannot be used ({reason}); end what uses it, "
            "or set KOFU_KIOSK_PORT to a free one"
        ) from error


@contextmanager
def serving(app: Flask, listener: socket.socket) -> Iterator[None]:
    """Serve in a thread until the block ends; takes the listener over."""
    port = listener.getsockname()[1]
    with listener:
        server = ThreadedWSGIServer(HOST, port, app, handler=_Quiet, fd=listener.fileno())
    thread = Thread(target=server.serve_forever, name="screen", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
