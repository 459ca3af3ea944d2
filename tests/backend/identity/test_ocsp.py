"""The validity centre over real HTTP: the simulated national one, and ones that misbehave."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID
from werkzeug.serving import WSGIRequestHandler, make_server

from backend.identity.ocsp import OcspClient
from backend.identity.service import CardRefusedError, TrustedCas, verify_card_word
from backend.simulated.authorities import authority_key_id
from backend.simulated.ocsp_server import create_app
from dedicated_line.clock import FixedClock, SystemClock, SystemEntropy
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import CardAlgorithm
from dedicated_line.errors import UsageError

pytestmark = pytest.mark.sockets


class TimedClock(FixedClock):
    """Domain time stands; deadlines run."""

    def monotonic(self) -> float:
        return SystemClock().monotonic()


class Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - werkzeug's name
        """Say nothing."""


@pytest.fixture(scope="module")
def centre_url(jpki_world: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The simulated centre's own web application over HTTP."""
    log: Path = tmp_path_factory.mktemp("log")
    app = create_app(jpki_world.centre, FixedClock(jpki_world.now), log)
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ocsp"
    server.shutdown()
    thread.join()
    server.server_close()


def client_of(world: Any, url: str, *, now: datetime | None = None, seconds: float = 3) -> Any:
    clock = TimedClock(now or world.now)
    return OcspClient(url, world.cas, clock, SystemEntropy(), deadline=seconds)


def ask(world: Any, client: Any, made: Any) -> None:
    word = world.word(made.card)
    holder = verify_card_word(world.cas, Environment.SIMULATION, "kofu-centre-1", word, world.now)
    client.require_good(holder, made.card.user_certificate)


def refusal_of(world: Any, client: Any, made: Any) -> CardRefusedError:
    with pytest.raises(CardRefusedError) as refused:
        ask(world, client, made)
    return refused.value


@pytest.mark.parametrize(
    ("generation", "algorithm"),
    [("g2015", "RS256"), ("g2019", "RS256"), ("g2023", "RS256"), ("next", "ES384")],
)
def test_a_good_certificate_of_each_generation_is_confirmed(
    jpki_world: Any, centre_url: str, generation: str, algorithm: str
) -> None:
    made = jpki_world.card(generation, CardAlgorithm(algorithm))
    ask(jpki_world, client_of(jpki_world, centre_url), made)


def test_a_revoked_certificate_is_refused(jpki_world: Any, centre_url: str) -> None:
    made = jpki_world.new_card("ocsp-revoked")
    jpki_world.centre.revoke(made.serial)
    error = refusal_of(jpki_world, client_of(jpki_world, centre_url), made)
    assert error.refusal is Refusal.CERTIFICATE_REVOKED


def test_a_certificate_on_hold_is_refused_as_revoked(jpki_world: Any, centre_url: str) -> None:
    made = jpki_world.new_card("ocsp-held")
    jpki_world.centre.hold(made.serial)
    error = refusal_of(jpki_world, client_of(jpki_world, centre_url), made)
    assert error.refusal is Refusal.CERTIFICATE_REVOKED


def test_a_renewed_card_leaves_the_former_one_revoked(jpki_world: Any, centre_url: str) -> None:
    former = jpki_world.new_card("ocsp-renewed")
    newer = jpki_world.new_card("ocsp-renewed")
    client = client_of(jpki_world, centre_url)
    assert refusal_of(jpki_world, client, former).refusal is Refusal.CERTIFICATE_REVOKED
    ask(jpki_world, client, newer)


def test_an_answer_that_has_grown_old_confirms_nothing(jpki_world: Any, centre_url: str) -> None:
    later = jpki_world.now + timedelta(minutes=12)
    error = refusal_of(jpki_world, client_of(jpki_world, centre_url, now=later), jpki_world.card())
    assert error.refusal is Refusal.CANNOT_CONFIRM


def test_a_validity_centre_that_is_down_confirms_nothing(jpki_world: Any) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/ocsp"
    error = refusal_of(jpki_world, client_of(jpki_world, url), jpki_world.card())
    assert error.refusal is Refusal.CANNOT_CONFIRM


def test_a_validity_centre_that_says_nothing_is_left_at_the_deadline(jpki_world: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/ocsp"
        start = SystemClock().monotonic()
        error = refusal_of(jpki_world, client_of(jpki_world, url, seconds=0.4), jpki_world.card())
        assert SystemClock().monotonic() - start < 1.5
    assert error.refusal is Refusal.CANNOT_CONFIRM


def test_a_validity_centre_that_drips_is_left_at_the_deadline(jpki_world: Any) -> None:
    over = threading.Event()

    def drip(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Drip: ")
            try:
                while not over.wait(0.05):
                    connection.sendall(b"x")
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=drip, args=(server,))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/ocsp"
        start = SystemClock().monotonic()
        error = refusal_of(jpki_world, client_of(jpki_world, url, seconds=0.4), jpki_world.card())
        assert SystemClock().monotonic() - start < 1.5
        over.set()
        thread.join()
    assert error.refusal is Refusal.CANNOT_CONFIRM


@contextmanager
def answering(
    answer: Callable[[bytes], bytes], *, status: int = 200, kind: str = "application/ocsp-response"
) -> Iterator[str]:
    """A validity centre that answers each request with the bytes that a function makes."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/ocsp"
        server.shutdown()
        thread.join()


class Forger:
    """Makes OCSP responses, right in everything but what a test changes."""

    def __init__(self, world: Any, **changes: Any) -> None:
        self.world = world
        self.changes = changes

    def __call__(self, body: bytes) -> bytes:
        asked = ocsp.load_der_ocsp_request(body)
        ca = self.world.centre.authorities[self.changes.get("generation", "g2023")]
        certificate = self.changes.get("responder", ca.responder_certificate)
        shown = self.changes.get("shown", [certificate])
        nonce = asked.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
        nonce = self.changes.get("nonce", nonce)
        now = self.world.now
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response_by_hash(
                asked.issuer_name_hash,
                self.changes.get("issuer_key_hash", asked.issuer_key_hash),
                self.changes.get("serial", asked.serial_number),
                hashes.SHA256(),
                self.changes.get("status", ocsp.OCSPCertStatus.GOOD),
                self.changes.get("this_update", now),
                self.changes.get("next_update", now + timedelta(minutes=5)),
                None,
                None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.HASH, certificate)
        )
        if shown:
            builder = builder.certificates(shown)
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        key = self.changes.get("key", ca.responder_key)
        return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def delegate(world: Any, **changes: Any) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """A responder's certificate by g2023, or by whoever the test says."""
    ca = world.centre.authorities[changes.get("generation", "g2023")]
    key = ec.generate_private_key(ec.SECP256R1())
    start = changes.get("start", world.now - timedelta(days=1))
    builder = x509.CertificateBuilder(
        ca.certificate.subject,
        x509.Name([]),
        key.public_key(),
        9,
        start,
        start + timedelta(days=2),
    ).add_extension(authority_key_id(ca.certificate), critical=False)
    if changes.get("may_answer", True):
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(changes.get("ca_key", ca.key), hashes.SHA256()), key


def test_the_forger_is_believed_as_long_as_everything_is_right(jpki_world: Any) -> None:
    with answering(Forger(jpki_world)) as url:
        ask(jpki_world, client_of(jpki_world, url), jpki_world.card())


def test_the_ca_may_answer_for_itself(jpki_world: Any) -> None:
    ca = jpki_world.centre.authorities["g2023"]
    forger = Forger(jpki_world, responder=ca.certificate, key=ca.key, shown=[])
    with answering(forger) as url:
        ask(jpki_world, client_of(jpki_world, url), jpki_world.card())


def test_a_newly_delegated_responder_is_believed(jpki_world: Any) -> None:
    certificate, key = delegate(jpki_world)
    with answering(Forger(jpki_world, responder=certificate, key=key)) as url:
        ask(jpki_world, client_of(jpki_world, url), jpki_world.card())


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": b"\0" * 32},
        {"nonce": None},
        {"serial": 77},
        {"issuer_key_hash": b"\0" * 32},
        {"status": ocsp.OCSPCertStatus.UNKNOWN},
        {"next_update": None},
        {"shown": []},
        {"generation": "g2019"},
        {"generation": "stray"},
        {"key": ec.generate_private_key(ec.SECP256R1())},
    ],
    ids=" ".join,
)
def test_an_answer_that_is_wrong_in_one_thing_confirms_nothing(
    jpki_world: Any, change: dict[str, Any]
) -> None:
    with answering(Forger(jpki_world, **change)) as url:
        error = refusal_of(jpki_world, client_of(jpki_world, url), jpki_world.card())
    assert error.refusal is Refusal.CANNOT_CONFIRM


def test_a_stale_good_answer_confirms_nothing(jpki_world: Any) -> None:
    forger = Forger(
        jpki_world,
        this_update=jpki_world.now - timedelta(hours=2),
        next_update=jpki_world.now - timedelta(hours=1),
    )
    with answering(forger) as url:
        error = refusal_of(jpki_world, client_of(jpki_world, url), jpki_world.card())
    assert error.refusal is Refusal.CANNOT_CONFIRM


@pytest.mark.parametrize(
    "change",
    [
        {"may_answer": False},
        {"generation": "stray"},
        {"start": datetime.fromisoformat("2025-01-01T00:00Z")},
        {"start": datetime.fromisoformat("2027-01-01T00:00Z")},
        {"ca_key": ec.generate_private_key(ec.SECP256R1())},
    ],
    ids=" ".join,
)
def test_a_responder_that_the_ca_did_not_delegate_confirms_nothing(
    jpki_world: Any, change: dict[str, Any]
) -> None:
    certificate, key = delegate(jpki_world, **change)
    with answering(Forger(jpki_world, responder=certificate, key=key)) as url:
        error = refusal_of(jpki_world, client_of(jpki_world, url), jpki_world.card())
    assert error.refusal is Refusal.CANNOT_CONFIRM


def test_a_card_holder_cannot_answer_for_themselves(jpki_world: Any) -> None:
    made = jpki_world.card()
    certificate = x509.load_der_x509_certificate(made.card.user_certificate)
    key = ec.generate_private_key(ec.SECP256R1())
    with answering(Forger(jpki_world, responder=certificate, key=key)) as url:
        error = refusal_of(jpki_world, client_of(jpki_world, url), made)
    assert error.refusal is Refusal.CANNOT_CONFIRM


def unsuccessful(_body: bytes) -> bytes:
    status = ocsp.OCSPResponseStatus.TRY_LATER
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    "answer",
    [unsuccessful, lambda body: body, lambda body: body[:0], lambda body: body * 1000],
    ids=["try later", "an echo", "nothing", "too much"],
)
def test_bytes_that_answer_nothing_confirm_nothing(
    jpki_world: Any, answer: Callable[[bytes], bytes]
) -> None:
    with answering(answer) as url:
        error = refusal_of(jpki_world, client_of(jpki_world, url), jpki_world.card())
    assert error.refusal is Refusal.CANNOT_CONFIRM


@pytest.mark.parametrize("wrong", [{"status": 500}, {"status": 302}, {"kind": "text/html"}])
def test_a_good_response_in_a_wrong_wrapping_confirms_nothing(
    jpki_world: Any, wrong: dict[str, Any]
) -> None:
    with answering(Forger(jpki_world), **wrong) as url:
        error = refusal_of(jpki_world, client_of(jpki_world, url), jpki_world.card())
    assert error.refusal is Refusal.CANNOT_CONFIRM


def test_an_address_that_is_no_http_url_is_a_wrong_setting() -> None:
    with pytest.raises(UsageError, match="no http:// URL"):
        OcspClient("ldap://x", TrustedCas({}), SystemClock(), SystemEntropy())
