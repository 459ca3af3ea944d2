"""Cards that are not what they say: the kiosk hears their word, and the centre refuses it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from backend.identity.service import CardRefusedError, TrustedCas, verify_card_word
from backend.simulated.jpki import JpkiCentre
from dedicated_line.clock import FixedClock, SystemEntropy
from dedicated_line.contract.card_message import card_message
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.issuing import CardWord
from dedicated_line.contract.keys import encode_public_key
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import CardAlgorithm, PresentHolder
from dedicated_line.contract.simulated_card import SimulatedCardFile
from kiosk.cards import dialogue
from kiosk.cards.certificate import read_certificate
from kiosk.simulated.card import VirtualCard
from kiosk.simulated.faults import Fault, FaultKind
from kiosk.simulated.faulty_card import FaultyCard

NOW = datetime(2026, 6, 15, 3, 0, tzinfo=UTC)
CENTRE, KIOSK, SESSION, CHALLENGE = "kofu-centre-1", "k000001", "ab" * 16, b"\x07" * 32
KEYS = [encode_public_key(ec.generate_private_key(ec.SECP256R1()).public_key()) for _ in range(2)]


class Centre:
    """A simulated JPKI centre with a few cards, and the CAs that are trusted."""

    def __init__(self, folder: Path) -> None:
        trust = folder / "trust"
        self.jpki = JpkiCentre.init(folder / "jpki", trust, FixedClock(NOW), SystemEntropy())
        self.trusted = TrustedCas.load(trust)
        self._made: dict[str, SimulatedCardFile] = {}

    def card(
        self,
        persona: str = "test-taro",
        *,
        generation: str = "g2023",
        algorithm: CardAlgorithm = CardAlgorithm.RS256,
        ended: bool = False,
    ) -> SimulatedCardFile:
        if persona not in self._made:
            self._made[persona] = self.jpki.personalise(
                persona,
                generation=generation,
                pin="1234",
                not_before=NOW - timedelta(days=900),
                not_after=NOW + timedelta(days=-1 if ended else 900),
                algorithm=algorithm,
            ).card
        return self._made[persona]

    def hear(
        self, card: VirtualCard, environment: Environment = Environment.SIMULATION
    ) -> Refusal | str:
        """Let the card sign in at a kiosk; return the centre's refusal, or the generation."""
        message = card_message(
            environment=environment,
            centre=CENTRE,
            kiosk=KIOSK,
            session=SESSION,
            challenge=CHALLENGE,
            signing_key=KEYS[0],
            receiving_key=KEYS[1],
        )
        said = dialogue.sign_in(card.answer, "1234", message)
        holder = PresentHolder(
            user_certificate=said.user_certificate,
            algorithm=said.algorithm,
            signing_key=KEYS[0],
            receiving_key=KEYS[1],
            card_signature=said.signature,
        )
        word = CardWord(
            municipality="352012",
            kiosk=KIOSK,
            session=SESSION,
            challenge=CHALLENGE,
            holder=holder,
        )
        try:
            return verify_card_word(self.trusted, environment, CENTRE, word, NOW).generation
        except CardRefusedError as refused:
            return refused.refusal


@pytest.fixture(scope="session")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Centre:
    return Centre(tmp_path_factory.mktemp("jpki"))


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        (FaultKind.UNTRUSTED_CA, Refusal.CERTIFICATE_UNKNOWN),
        (FaultKind.REAL_JPKI, Refusal.CERTIFICATE_UNKNOWN),
        (FaultKind.EXPIRED, Refusal.CERTIFICATE_UNKNOWN),
        (FaultKind.CLONED, Refusal.CARD_NOT_CONFIRMED),
        (FaultKind.CERTIFICATE_OF, Refusal.CARD_NOT_CONFIRMED),
        (FaultKind.KEY_OF, Refusal.CARD_NOT_CONFIRMED),
    ],
)
@pytest.mark.parametrize("algorithm", CardAlgorithm)
def test_the_centre_refuses_a_forged_card(
    centre: Centre, kind: FaultKind, refusal: Refusal, algorithm: CardAlgorithm
) -> None:
    generation = "next" if algorithm is CardAlgorithm.ES384 else "g2023"
    true = centre.card(f"true-{algorithm}", generation=generation, algorithm=algorithm)
    other = centre.card(f"other-{algorithm}", generation=generation, algorithm=algorithm)
    takes = kind in {FaultKind.CERTIFICATE_OF, FaultKind.KEY_OF}
    fault = Fault(kind, other=other if takes else None)
    assert centre.hear(FaultyCard(true)) == generation
    assert centre.hear(FaultyCard(true, [fault])) == refusal


def test_the_ca_on_the_card_is_asked_for_nothing(centre: Centre) -> None:
    other = centre.card("of-2015", generation="g2015")
    card = FaultyCard(centre.card(), [Fault(FaultKind.CA_OF, other=other)])
    assert centre.hear(card) == "g2023"


def test_a_certificate_of_another_generation_does_not_fit_the_key(centre: Centre) -> None:
    other = centre.card("of-2015", generation="g2015")
    card = FaultyCard(centre.card(), [Fault(FaultKind.CERTIFICATE_OF, other=other)])
    assert centre.hear(card) == Refusal.CARD_NOT_CONFIRMED


def test_a_ca_generation_that_nobody_trusts_is_unknown(centre: Centre) -> None:
    card = FaultyCard(centre.card("of-nobody", generation="stray"))
    assert centre.hear(card) == Refusal.CERTIFICATE_UNKNOWN


def test_a_true_certificate_that_has_ended_is_expired(centre: Centre) -> None:
    assert centre.hear(FaultyCard(centre.card("ended", ended=True))) == Refusal.CERTIFICATE_EXPIRED


def test_a_test_card_is_unknown_in_production(centre: Centre) -> None:
    card = FaultyCard(centre.card())
    assert centre.hear(card, Environment.PRODUCTION) == Refusal.CERTIFICATE_UNKNOWN


def test_a_real_looking_card_of_a_forger_is_unknown_in_production_too(centre: Centre) -> None:
    card = FaultyCard(centre.card(), [Fault(FaultKind.REAL_JPKI)])
    assert read_certificate(card.file.user_certificate).organisation == "JPKI"
    assert centre.hear(card, Environment.PRODUCTION) == Refusal.CERTIFICATE_UNKNOWN


def test_a_phone_is_served_as_its_certificate_is(centre: Centre) -> None:
    phone = centre.card().model_copy(update={"label": "JPKIAPGPSETOKEN"})
    assert centre.hear(FaultyCard(phone)) == "g2023"


def test_a_forged_end_is_read_as_expired_by_the_kiosk(centre: Centre) -> None:
    true = read_certificate(centre.card().user_certificate)
    forged = read_certificate(
        FaultyCard(centre.card(), [Fault(FaultKind.EXPIRED)]).file.user_certificate
    )
    assert not true.expired(NOW)
    assert forged.expired(NOW)
    assert (forged.common_name, forged.serial) == (true.common_name, true.serial)
