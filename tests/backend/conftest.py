"""What the backend's tests share: a real Redis, and a simulated JPKI centre with its cards."""

import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from backend.identity.service import TrustedCas
from backend.simulated.jpki import JpkiCentre, Personalised
from dedicated_line.clock import FixedClock, SystemEntropy
from dedicated_line.contract.card_message import card_message
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.issuing import CardWord
from dedicated_line.contract.keys import encode_public_key
from dedicated_line.contract.sessions import CardAlgorithm, PresentHolder
from dedicated_line.contract.simulated_card import SimulatedCardFile

NOW = datetime(2026, 6, 15, 3, 0, tzinfo=UTC)
"""Noon in Tokyo: the domain time of the JPKI world."""
CENTRE = "kofu-centre-1"


class RedisServer:
    """A real redis-server on a Unix socket in a folder; it forgets everything when it ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.url = f"unix://{folder / 'redis.sock'}"
        self.process = self._started()

    def _started(self) -> subprocess.Popen[str]:
        """Start it; return once it accepts connections."""
        socket_path, folder = self._folder / "redis.sock", self._folder
        process = subprocess.Popen(
            [
                "redis-server",
                "--port",
                "0",
                "--unixsocket",
                socket_path,
                "--save",
                "",
                "--dir",
                folder,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        log = []
        for line in process.stdout:
            log.append(line)
            if "ready to accept connections" in line.lower():
                return process
        raise AssertionError("redis-server did not start: " + "".join(log))

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=10)

    def restart(self) -> None:
        self.stop()
        self.process = self._started()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis a test worker; see `redis_url` for an empty one."""
    with tempfile.TemporaryDirectory(prefix="kofu-") as folder:
        server = RedisServer(Path(folder))
        yield server
        server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of a real Redis, emptied; the test must carry `sockets`."""
    client = redis.Redis.from_url(redis_server.url)
    client.flushall()
    client.close()
    return redis_server.url


@pytest.fixture
def mortal_redis() -> Iterator[RedisServer]:
    """A Redis of the test's own, which it may stop, restart or halt."""
    with tempfile.TemporaryDirectory(prefix="kofu-") as folder:
        server = RedisServer(Path(folder))
        yield server
        server.stop()


@dataclass(frozen=True)
class JpkiWorld:
    """A simulated JPKI centre at `NOW`, cards of it, and what cards sign."""

    centre: JpkiCentre
    cas: TrustedCas
    trust_folder: Path
    now: datetime = NOW
    signing_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    """The session's own keys, as in every word that `word` makes."""
    receiving_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    _cards: dict[tuple[str, CardAlgorithm], Personalised] = field(default_factory=dict)

    def card(
        self, generation: str = "g2023", algorithm: CardAlgorithm = CardAlgorithm.RS256
    ) -> Personalised:
        """Return a good card, always the same one: do not revoke it."""
        key = (generation, algorithm)
        if key not in self._cards:
            self._cards[key] = self.new_card(
                f"ordinary-{generation}-{algorithm}", generation=generation, algorithm=algorithm
            )
        return self._cards[key]

    def new_card(
        self,
        persona: str,
        *,
        generation: str = "g2023",
        algorithm: CardAlgorithm = CardAlgorithm.RS256,
        not_before: datetime = NOW - timedelta(days=400),
        not_after: datetime = NOW + timedelta(days=1400),
    ) -> Personalised:
        """Return a card of the test's own."""
        return self.centre.personalise(
            persona,
            generation=generation,
            pin="1234",
            not_before=not_before,
            not_after=not_after,
            algorithm=algorithm,
        )

    def word(
        self,
        card: SimulatedCardFile,
        *,
        municipality: str = "352012",
        kiosk: str = "k000001",
        session: str = "ab" * 16,
        challenge: bytes = b"\x07" * 32,
        centre: str = CENTRE,
        environment: Environment = Environment.SIMULATION,
    ) -> CardWord:
        """Return the word that this card gives at that kiosk, in that session."""
        signing, receiving = (
            encode_public_key(key.public_key()) for key in (self.signing_key, self.receiving_key)
        )
        message = card_message(
            environment=environment,
            centre=centre,
            kiosk=kiosk,
            session=session,
            challenge=challenge,
            signing_key=signing,
            receiving_key=receiving,
        )
        presented = PresentHolder(
            user_certificate=card.user_certificate,
            algorithm=card.algorithm,
            signing_key=signing,
            receiving_key=receiving,
            card_signature=card_signs(card, message),
        )
        return CardWord(
            municipality=municipality,
            kiosk=kiosk,
            session=session,
            challenge=challenge,
            holder=presented,
        )


def card_signs(card: SimulatedCardFile, message: bytes) -> bytes:
    """Return what the card's chip would sign."""
    key = load_der_private_key(card.user_key, password=None)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key.sign(message, ec.ECDSA(hashes.SHA384()))


@pytest.fixture(scope="session")
def jpki_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JpkiWorld]:
    """One simulated JPKI centre a test worker, its clock standing at `NOW`."""
    folder = tmp_path_factory.mktemp("jpki-world")
    trust = folder / "trust"
    centre = JpkiCentre.init(folder / "jpki", trust, FixedClock(NOW), SystemEntropy())
    yield JpkiWorld(centre, TrustedCas.load(trust), trust)
    centre.close()
