"""What the kiosk's tests share: cards made for the test, and the machine's one pcscd."""

import fcntl
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Event

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from dedicated_line.clock import SystemClock
from dedicated_line.contract.sessions import CardAlgorithm
from dedicated_line.contract.simulated_card import SimulatedCardFile
from kiosk.cards.errors import ReaderError
from kiosk.simulated.vpcd import FIRST_PORT

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
START_SECONDS = 5.0
LOCK_SECONDS = 90.0


@dataclass(frozen=True)
class MadeCard:
    """A card for a test, and the keys that a test checks it with."""

    file: SimulatedCardFile
    user_public_key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@cache
def _rsa_key(_name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _key(name: str, algorithm: CardAlgorithm) -> PrivateKey:
    if algorithm is CardAlgorithm.ES384:
        return ec.generate_private_key(ec.SECP384R1())
    return _rsa_key(name)


def _x509(common_name: str, key: PrivateKey, issuer: str, issuer_key: PrivateKey) -> bytes:
    def named(text: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "JPKI-TEST"),
                x509.NameAttribute(NameOID.COMMON_NAME, text),
            ]
        )

    at = datetime(2026, 1, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(named(common_name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at)
        .not_valid_after(at + timedelta(days=1800))
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(issuer_key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.DER)


def _private(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


@cache
def _make(
    persona: str, label: str, algorithm: CardAlgorithm, tries: int, signature_tries: int
) -> MadeCard:
    ca = _rsa_key("ca")
    user, signature = _key("user", algorithm), _key("signature", algorithm)
    file = SimulatedCardFile(
        persona=persona,
        label=label,
        algorithm=algorithm,
        pin="1234",
        tries=tries,
        user_certificate=_x509(f"user of {persona}", user, "user CA", ca),
        user_key=_private(user),
        user_ca=_x509("user CA", ca, "user CA", ca),
        signature_certificate=_x509(f"signature of {persona}", signature, "signature CA", ca),
        signature_key=_private(signature),
        signature_ca=_x509("signature CA", ca, "signature CA", ca),
        signature_password="ABC123",
        signature_tries=signature_tries,
    )
    return MadeCard(file=file, user_public_key=user.public_key())


@pytest.fixture(scope="session")
def make_card() -> Callable[..., MadeCard]:
    """Return a maker of cards; RSA keys are made once a session, since they are slow."""

    def make(
        persona: str = "test-taro",
        *,
        label: str = "JPKIAPICCTOKEN2",
        algorithm: CardAlgorithm = CardAlgorithm.RS256,
        tries: int = 3,
        signature_tries: int = 5,
    ) -> MadeCard:
        return _make(persona, label, algorithm, tries, signature_tries)

    return make


def _listening(port: int) -> bool:
    """Look into the kernel's table: a connection would be a card in the slot."""
    wanted = f":{port:04X}"
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(wanted) and fields[3] == "0A":
                return True
    return False


def _answers() -> bool:
    from kiosk.cards.pcsc import PcscReader

    try:
        PcscReader(1, SystemClock()).check()
    except ReaderError:
        return False
    return _listening(FIRST_PORT)


def _until(true: Callable[[], bool], seconds: float, otherwise: str) -> None:
    deadline = SystemClock().monotonic() + seconds
    while not true():
        assert SystemClock().monotonic() < deadline, otherwise
        Event().wait(0.02)


@dataclass
class Pcscd:
    """The pcscd that the tests use; one of our own can be killed and started again."""

    child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.child = subprocess.Popen(
            ["/usr/sbin/pcscd", "--foreground"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        child = self.child
        _until(
            lambda: child.poll() is not None or _answers(),
            START_SECONDS,
            "pcscd with its virtual reader did not start",
        )
        assert child.poll() is None, "pcscd ended at once"

    def kill(self) -> None:
        if self.child is None:
            pytest.fail(
                "a pcscd that is not the tests' own runs here, and this test must kill it: "
                "stop it first (systemctl stop pcscd.socket pcscd)"
            )
        self.child.kill()
        self.child.wait(timeout=10)

    def stop(self) -> None:
        if self.child is not None:
            self.child.terminate()
            self.child.wait(timeout=10)


@pytest.fixture(scope="session")
def pcscd() -> Iterator[Pcscd]:
    """Give the machine's one pcscd to this session: the one that runs, or a child of our own."""
    with Path(tempfile.gettempdir(), "kofu-pcscd.lock").open("a") as lock:

        def locked() -> bool:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        _until(locked, LOCK_SECONDS, "another test session keeps pcscd")
        service = Pcscd()
        if not _answers():
            service.start()
        try:
            yield service
        finally:
            service.stop()


@pytest.fixture
def free_port() -> int:
    """Return a TCP port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
