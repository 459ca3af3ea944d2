from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from cryptography.x509.oid import NameOID

from backend.identity.certificates import TrustedCa, TrustedCas
from backend.identity.service import CardRefusedError, verify_card_word
from backend.simulated.authorities import authority_key_id, key_usage
from backend.simulated.card_certificates import USER_POLICY
from dedicated_line.contract.canonical import digest
from dedicated_line.contract.card_message import card_message
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.issuing import CardWord
from dedicated_line.contract.keys import encode_public_key
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import CardAlgorithm
from dedicated_line.contract.simulated_card import SimulatedCardFile

CENTRE = "kofu-centre-1"


def refusal_of(
    world: Any,
    word: CardWord,
    *,
    now: datetime | None = None,
    cas: TrustedCas | None = None,
    environment: Environment = Environment.SIMULATION,
    centre: str = CENTRE,
) -> Refusal:
    with pytest.raises(CardRefusedError) as refused:
        verify_card_word(cas or world.cas, environment, centre, word, now or world.now)
    return refused.value.refusal


def with_holder(word: CardWord, **changes: Any) -> CardWord:
    return word.model_copy(update={"holder": word.holder.model_copy(update=changes)})


@pytest.mark.parametrize("generation", ["g2015", "g2019", "g2023"])
def test_a_card_of_each_generation_is_known_by_generation_and_serial(
    jpki_world: Any, generation: str
) -> None:
    card, _, serial = jpki_world.card(generation)
    holder = verify_card_word(
        jpki_world.cas, Environment.SIMULATION, CENTRE, jpki_world.word(card), jpki_world.now
    )
    assert (holder.generation, holder.serial) == (generation, serial)
    assert holder.fingerprint == digest(card.user_certificate)


def test_the_next_card_signs_with_p384(jpki_world: Any) -> None:
    card, _, serial = jpki_world.card("next", CardAlgorithm.ES384)
    holder = verify_card_word(
        jpki_world.cas, Environment.SIMULATION, CENTRE, jpki_world.word(card), jpki_world.now
    )
    assert (holder.generation, holder.serial) == ("next", serial)


@pytest.mark.parametrize(
    "change",
    [
        {"session": "cd" * 16},
        {"kiosk": "k000002"},
        {"challenge": b"\x08" * 32},
        {"challenge": b""},
    ],
)
def test_a_signature_given_elsewhere_confirms_nothing_here(
    jpki_world: Any, change: dict[str, Any]
) -> None:
    word = jpki_world.word(jpki_world.card().card).model_copy(update=change)
    assert refusal_of(jpki_world, word) is Refusal.CARD_NOT_CONFIRMED


def test_a_word_given_to_another_centre_confirms_nothing_here(jpki_world: Any) -> None:
    word = jpki_world.word(jpki_world.card().card, centre="kofu-centre-2")
    assert refusal_of(jpki_world, word) is Refusal.CARD_NOT_CONFIRMED


def test_a_word_given_for_production_confirms_nothing_in_simulation(jpki_world: Any) -> None:
    word = jpki_world.word(jpki_world.card().card, environment=Environment.PRODUCTION)
    assert refusal_of(jpki_world, word) is Refusal.CARD_NOT_CONFIRMED


@pytest.mark.parametrize("which", ["signing_key", "receiving_key"])
def test_a_session_key_swapped_on_the_way_is_seen(jpki_world: Any, which: str) -> None:
    other = encode_public_key(ec.generate_private_key(ec.SECP256R1()).public_key())
    word = with_holder(jpki_world.word(jpki_world.card().card), **{which: other})
    assert refusal_of(jpki_world, word) is Refusal.CARD_NOT_CONFIRMED


@pytest.mark.parametrize("bad", [b"", b"\x04" + b"\x01" * 64, b"\x02" + b"\x01" * 32, b"\0" * 65])
def test_a_session_key_that_is_no_point_is_refused(jpki_world: Any, bad: bytes) -> None:
    word = with_holder(jpki_world.word(jpki_world.card().card), receiving_key=bad)
    assert refusal_of(jpki_world, word) is Refusal.CARD_NOT_CONFIRMED


def test_another_persons_certificate_does_not_fit_the_signature(jpki_world: Any) -> None:
    word = with_holder(
        jpki_world.word(jpki_world.card("g2023").card),
        user_certificate=jpki_world.card("g2019").card.user_certificate,
    )
    assert refusal_of(jpki_world, word) is Refusal.CARD_NOT_CONFIRMED


@pytest.mark.parametrize("signature", [b"", b"\0" * 256, b"\xff" * 255, b"\x01" * 100_000], ids=len)
def test_a_signature_of_the_wrong_bytes_is_refused(jpki_world: Any, signature: bytes) -> None:
    word = with_holder(jpki_world.word(jpki_world.card().card), card_signature=signature)
    assert refusal_of(jpki_world, word) is Refusal.CARD_NOT_CONFIRMED


@pytest.mark.parametrize(
    ("generation", "own", "claimed"),
    [
        ("g2023", CardAlgorithm.RS256, CardAlgorithm.ES384),
        ("next", CardAlgorithm.ES384, CardAlgorithm.RS256),
    ],
)
def test_the_algorithm_is_the_keys_not_the_kiosks(
    jpki_world: Any, generation: str, own: CardAlgorithm, claimed: CardAlgorithm
) -> None:
    word = with_holder(jpki_world.word(jpki_world.card(generation, own).card), algorithm=claimed)
    assert refusal_of(jpki_world, word) is Refusal.CARD_NOT_CONFIRMED


@pytest.mark.parametrize(
    "cut",
    [lambda der: der[:0], lambda der: der[:-1], lambda der: der + b"\0", lambda der: der * 9],
)
def test_bytes_that_are_no_certificate_are_refused(
    jpki_world: Any, cut: Callable[[bytes], bytes]
) -> None:
    card = jpki_world.card().card
    word = with_holder(jpki_world.word(card), user_certificate=cut(card.user_certificate))
    assert refusal_of(jpki_world, word) is Refusal.CARD_NOT_CONFIRMED


def test_every_changed_byte_of_a_certificate_is_noticed(jpki_world: Any) -> None:
    card = jpki_world.card().card
    word = jpki_world.word(card)
    for place in range(0, len(card.user_certificate), 7):
        der = bytearray(card.user_certificate)
        der[place] ^= 1
        changed = with_holder(word, user_certificate=bytes(der))
        assert refusal_of(jpki_world, changed) in {
            Refusal.CARD_NOT_CONFIRMED,
            Refusal.CERTIFICATE_UNKNOWN,
        }


def test_an_expired_certificate_is_called_expired(jpki_world: Any) -> None:
    word = jpki_world.word(jpki_world.card().card)
    later = jpki_world.now + timedelta(days=1401)
    assert refusal_of(jpki_world, word, now=later) is Refusal.CERTIFICATE_EXPIRED


def test_a_card_issued_today_is_good_tomorrow(jpki_world: Any) -> None:
    card = jpki_world.new_card("new-today", not_before=jpki_world.now - timedelta(hours=1)).card
    word = jpki_world.word(card)
    assert refusal_of(jpki_world, word) is Refusal.REGISTERED_TOMORROW
    tomorrow = jpki_world.now + timedelta(hours=12)  # midnight in Tokyo
    assert verify_card_word(jpki_world.cas, Environment.SIMULATION, CENTRE, word, tomorrow)


def test_a_certificate_of_the_future_confirms_nothing(jpki_world: Any) -> None:
    word = jpki_world.word(jpki_world.card().card)
    earlier = jpki_world.now - timedelta(days=402)
    assert refusal_of(jpki_world, word, now=earlier) is Refusal.CARD_NOT_CONFIRMED


def test_a_ca_of_the_same_name_that_nobody_trusts_is_unknown(jpki_world: Any) -> None:
    word = jpki_world.word(jpki_world.card("stray").card)
    assert refusal_of(jpki_world, word) is Refusal.CERTIFICATE_UNKNOWN


def test_a_generation_taken_out_of_trust_is_unknown(jpki_world: Any) -> None:
    rest = {"g2015": jpki_world.cas.by_generation["g2015"]}
    word = jpki_world.word(jpki_world.card("g2023").card)
    assert refusal_of(jpki_world, word, cas=TrustedCas(rest)) is Refusal.CERTIFICATE_UNKNOWN


def test_a_ca_out_of_its_own_term_is_unknown(jpki_world: Any) -> None:
    far = jpki_world.now.replace(year=2047)
    card = jpki_world.new_card("outlives-its-ca", not_after=jpki_world.now.replace(year=2050))
    word = jpki_world.word(card.card)
    assert refusal_of(jpki_world, word, now=far) is Refusal.CERTIFICATE_UNKNOWN


def test_a_signature_certificate_is_not_for_authentication(jpki_world: Any) -> None:
    """Not even when its CA were trusted by mistake."""
    card = jpki_world.card().card
    authority = jpki_world.centre.authorities["signature"]
    key_id = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    cas = TrustedCas(
        {"signature": TrustedCa("signature", authority.certificate, key_id.value.digest)}
    )
    swapped = card.model_copy(
        update={"user_certificate": card.signature_certificate, "user_key": card.signature_key}
    )
    word = jpki_world.word(swapped)
    assert refusal_of(jpki_world, word, cas=cas) is Refusal.CARD_NOT_CONFIRMED
    assert refusal_of(jpki_world, word) is Refusal.CERTIFICATE_UNKNOWN


def forged_card(world: Any, card: SimulatedCardFile, **changes: Any) -> SimulatedCardFile:
    """A certificate for the card's own key, made by somebody who has a CA of the right name."""
    ca_key = rsa.generate_private_key(65537, 2048)
    real = world.cas.by_generation["g2023"].certificate
    key = load_der_private_key(card.user_key, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "JP")]))
        .issuer_name(real.subject)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(world.now - timedelta(days=9))
        .not_valid_after(world.now + timedelta(days=9))
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(
            x509.CertificatePolicies(
                [x509.PolicyInformation(x509.ObjectIdentifier(USER_POLICY), None)]
            ),
            critical=True,
        )
    )
    if changes.get("key_id", True):
        builder = builder.add_extension(authority_key_id(real), critical=False)
    signed = builder.sign(ca_key, hashes.SHA256())
    return card.model_copy(update={"user_certificate": signed.public_bytes(Encoding.DER)})


@pytest.mark.parametrize("key_id", [True, False])
def test_the_name_and_key_identifier_of_a_ca_are_worth_nothing_without_its_signature(
    jpki_world: Any, *, key_id: bool
) -> None:
    card = forged_card(jpki_world, jpki_world.card().card, key_id=key_id)
    assert refusal_of(jpki_world, jpki_world.word(card)) is Refusal.CERTIFICATE_UNKNOWN


def real_looking(world: Any) -> tuple[TrustedCas, SimulatedCardFile]:
    """A CA that says O=JPKI, as the real one does, and a card of it."""
    ca_key, key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "JPKI"),
        ]
    )
    key_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    start, end = world.now - timedelta(days=99), world.now + timedelta(days=99)
    ca = (
        x509.CertificateBuilder(name, name, ca_key.public_key(), 7, start, end)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(ca=True), critical=True)
        .add_extension(key_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    certificate = (
        x509.CertificateBuilder(name, x509.Name([]), key.public_key(), 8, start, end)
        .add_extension(authority_key_id(ca), critical=False)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(
            x509.CertificatePolicies(
                [x509.PolicyInformation(x509.ObjectIdentifier(USER_POLICY), None)]
            ),
            critical=True,
        )
        .sign(ca_key, hashes.SHA256())
    )
    card = world.card().card.model_copy(
        update={
            "user_certificate": certificate.public_bytes(Encoding.DER),
            "user_key": key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
        }
    )
    return TrustedCas({"real": TrustedCa("real", ca, key_id.digest)}), card


def test_simulation_refuses_real_certificates_and_production_serves_them(jpki_world: Any) -> None:
    cas, card = real_looking(jpki_world)
    here = jpki_world.word(card)
    assert refusal_of(jpki_world, here, cas=cas) is Refusal.CERTIFICATE_UNKNOWN
    there = jpki_world.word(card, environment=Environment.PRODUCTION)
    assert verify_card_word(cas, Environment.PRODUCTION, CENTRE, there, jpki_world.now)


def test_production_refuses_test_certificates(jpki_world: Any) -> None:
    word = jpki_world.word(jpki_world.card().card, environment=Environment.PRODUCTION)
    refusal = refusal_of(jpki_world, word, environment=Environment.PRODUCTION)
    assert refusal is Refusal.CERTIFICATE_UNKNOWN


@pytest.mark.parametrize("how", ["another digest", "another padding"])
def test_the_right_message_signed_in_another_way_is_refused(jpki_world: Any, how: str) -> None:
    card = jpki_world.card().card
    word = jpki_world.word(card)
    message = card_message(
        environment=Environment.SIMULATION,
        centre=CENTRE,
        kiosk=word.kiosk,
        session=word.session,
        challenge=word.challenge,
        signing_key=word.holder.signing_key,
        receiving_key=word.holder.receiving_key,
    )
    key = load_der_private_key(card.user_key, password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    if how == "another digest":
        signature = key.sign(message, padding.PKCS1v15(), hashes.SHA384())
    else:
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        signature = key.sign(message, pss, hashes.SHA256())
    refused = with_holder(word, card_signature=signature)
    assert refusal_of(jpki_world, refused) is Refusal.CARD_NOT_CONFIRMED


def test_a_refusal_says_what_to_do_and_names_nobody(jpki_world: Any) -> None:
    word = jpki_world.word(jpki_world.card("stray").card)
    with pytest.raises(CardRefusedError, match="not trusted here") as refused:
        verify_card_word(jpki_world.cas, Environment.SIMULATION, CENTRE, word, jpki_world.now)
    assert "ordinary" not in str(refused.value)
