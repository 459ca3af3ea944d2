"""Raw TLS, for what no honest client says."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

SECONDS = 15.0
CIRCUIT = "127.1.5.1"
Raw = Callable[..., ssl.SSLSocket]


@pytest.fixture
def raw(line: Any) -> Iterator[Raw]:
    """Give a function that opens a TLS connection to the centre's end, with any certificate."""
    with ExitStack() as stack:

        def connect(
            keys: Path | None = None,
            circuit: str = CIRCUIT,
            newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3,
        ) -> ssl.SSLSocket:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(line.enrolment.line / "ca.pem")
            context.maximum_version = newest
            if keys is not None:
                context.load_cert_chain(keys / "line.pem", keys / "line.key")
            plain = socket.create_connection(
                ("127.0.0.1", line.port), timeout=SECONDS, source_address=(circuit, 0)
            )
            stack.callback(plain.close)
            secure = context.wrap_socket(plain, server_hostname="kofu-line")
            stack.callback(secure.close)
            return secure

        yield connect
