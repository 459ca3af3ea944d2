import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from backend.simulated.jpki import CardOrder, JpkiCentre, Reason
from backend.simulated.status_list import Status
from dedicated_line.clock import FixedClock, SystemEntropy
from dedicated_line.contract.sessions import CardAlgorithm
from dedicated_line.contract.simulated_card import SimulatedCardFile
from dedicated_line.errors import KofuError, UsageError

NOW = datetime(2017, 8, 15, 1, 0, tzinfo=UTC)
TERM = (NOW - timedelta(days=300), NOW + timedelta(days=1500))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("jpki")


@pytest.fixture(scope="module")
def centre(folder: Path) -> JpkiCentre:
    return opened(folder, NOW)


def opened(folder: Path, now: datetime) -> JpkiCentre:
    return JpkiCentre.init(folder / "jpki", folder / "trust", FixedClock(now), SystemEntropy())


def made(centre: JpkiCentre, persona: str, generation: str = "g2015") -> SimulatedCardFile:
    order = CardOrder(persona, generation, "1234", *TERM)
    return centre.personalise_all([order])[0].card


def test_only_the_centre_itself_may_read_its_keys(centre: JpkiCentre, folder: Path) -> None:
    del centre
    keys = sorted((folder / "jpki").glob("*.key"))
    assert len(keys) == 11
    for key in keys:
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "jpki").stat().st_mode) == 0o700


def test_the_stray_ca_is_not_published(centre: JpkiCentre, folder: Path) -> None:
    published = {file.stem for file in (folder / "trust").glob("*.pem")}
    assert published == {"g2015", "g2019", "g2023", "next"}
    assert "stray" in centre.authorities


def test_beginning_again_keeps_every_ca(centre: JpkiCentre, folder: Path) -> None:
    again = opened(folder, NOW + timedelta(days=3))
    for name, authority in centre.authorities.items():
        assert again.authorities[name].certificate == authority.certificate
        assert again.authorities[name].responder_certificate == authority.responder_certificate
    again.close()


def test_two_commands_that_begin_together_make_one_set_of_cas(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(lambda _: opened(tmp_path, NOW), range(2))
    for name, authority in first.authorities.items():
        assert second.authorities[name].certificate == authority.certificate
    first.close()
    second.close()


def test_a_responder_near_its_end_is_made_anew(tmp_path: Path) -> None:
    before = opened(tmp_path, NOW)
    after = opened(tmp_path, NOW + timedelta(days=80))
    for name in ("g2015", "next"):
        assert after.authorities[name].certificate == before.authorities[name].certificate
        renewed = after.authorities[name].responder_certificate
        assert renewed is not None
        assert renewed != before.authorities[name].responder_certificate
        assert renewed.not_valid_after_utc > NOW + timedelta(days=150)
    before.close()
    after.close()


def test_a_user_certificate_has_the_form_of_jpki_and_no_name(centre: JpkiCentre) -> None:
    card = made(centre, "shimonoseki-taro")
    certificate = x509.load_der_x509_certificate(card.user_certificate)
    names = [attribute.rfc4514_attribute_name for attribute in certificate.subject]
    assert names == ["C", "CN"]
    assert b"shimonoseki" not in card.user_certificate
    usage = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert not usage.value.content_commitment
    policies = certificate.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [policy.policy_identifier.dotted_string for policy in policies] == [
        "1.2.392.200149.8.5.1.3.30"
    ]
    assert certificate.extensions.get_extension_for_class(x509.IssuerAlternativeName)
    assert certificate.issuer.rfc4514_string().endswith("O=JPKI-TEST,C=JP")
    certificate.verify_directly_issued_by(centre.authorities["g2015"].certificate)


def test_the_keys_of_a_card_fit_its_certificates(centre: JpkiCentre) -> None:
    card = made(centre, "fits")
    for certificate, key in (
        (card.user_certificate, card.user_key),
        (card.signature_certificate, card.signature_key),
    ):
        private = load_der_private_key(key, password=None)
        assert isinstance(private, rsa.RSAPrivateKey)
        assert private.key_size == 2048
        public = x509.load_der_x509_certificate(certificate).public_key()
        assert private.public_key() == public


def test_the_next_card_has_a_p384_key(centre: JpkiCentre) -> None:
    order = CardOrder("next", "next", "1234", *TERM, algorithm=CardAlgorithm.ES384)
    card = centre.personalise_all([order])[0].card
    key = load_der_private_key(card.user_key, password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    certificate = x509.load_der_x509_certificate(card.user_certificate)
    assert certificate.signature_hash_algorithm is not None
    assert certificate.signature_hash_algorithm.name == "sha384"


def test_a_card_comes_as_it_was_ordered(centre: JpkiCentre) -> None:
    personalised = centre.personalise(
        "blocked",
        generation="g2019",
        label="JPKIAPICCTOKEN",
        pin="9876",
        tries=0,
        not_before=TERM[0],
        not_after=TERM[1],
    )
    card = personalised.card
    assert (card.persona, card.label, card.pin, card.tries) == (
        "blocked",
        "JPKIAPICCTOKEN",
        "9876",
        0,
    )
    certificate = x509.load_der_x509_certificate(card.user_certificate)
    assert certificate.serial_number == personalised.serial
    assert certificate.not_valid_before_utc == TERM[0]
    assert personalised.generation == "g2019"
    assert SimulatedCardFile.model_validate_json(card.to_json()) == card


def test_many_cards_at_once_are_all_different(centre: JpkiCentre) -> None:
    orders = [CardOrder(f"many-{number}", "g2015", "1234", *TERM) for number in range(6)]
    cards = centre.personalise_all(orders)
    assert [card.card.persona for card in cards] == [order.persona for order in orders]
    assert len({card.serial for card in cards}) == 6
    assert len({card.card.user_key for card in cards}) == 6


def test_a_generation_that_does_not_exist_is_named(centre: JpkiCentre) -> None:
    with pytest.raises(UsageError, match=r"no CA generation 'g1999'.*g2015"):
        made(centre, "nobody", generation="g1999")
    assert centre.of_persona("nobody") == ()


def test_what_is_revoked_stays_as_it_was(centre: JpkiCentre) -> None:
    made(centre, "revoked")
    serial = centre.of_persona("revoked")[0].serial
    revoked = centre.revoke(serial, Reason.SUPERSEDED)
    assert (revoked.status, revoked.reason, revoked.changed_at) == (
        Status.REVOKED,
        "superseded",
        NOW,
    )
    assert centre.revoke(serial, Reason.KEY_COMPROMISE).reason == "superseded"
    assert centre.hold(serial).status is Status.REVOKED


def test_a_hold_can_only_become_a_revocation(centre: JpkiCentre) -> None:
    made(centre, "held")
    serial = centre.of_persona("held")[0].serial
    assert centre.hold(serial).status is Status.HELD
    assert centre.revoke(serial).status is Status.REVOKED


def test_a_renewal_supersedes_what_was_there(centre: JpkiCentre) -> None:
    made(centre, "renewed")
    made(centre, "renewed")
    statuses = [one.status for one in centre.of_persona("renewed")]
    assert statuses == [Status.REVOKED, Status.REVOKED, Status.GOOD, Status.GOOD]


def test_an_unknown_serial_cannot_be_revoked(centre: JpkiCentre) -> None:
    with pytest.raises(UsageError, match="no certificate abc"):
        centre.revoke(0xABC)


def test_the_crl_lists_what_is_not_good_of_its_generation(tmp_path: Path) -> None:
    centre = opened(tmp_path, NOW)
    made(centre, "good")
    held, revoked, other = (
        centre.personalise(
            name, generation=generation, pin="1234", not_before=TERM[0], not_after=TERM[1]
        ).serial
        for name, generation in (("held", "g2015"), ("revoked", "g2015"), ("other", "g2019"))
    )
    centre.hold(held)
    centre.revoke(revoked, Reason.AFFILIATION_CHANGED)
    centre.revoke(other)
    crl = x509.load_der_x509_crl(centre.crl("g2015"))
    assert crl.is_signature_valid(centre.authorities["g2015"].certificate.public_key())  # type: ignore[arg-type] - a CA's key is RSA or EC
    reasons = {
        one.serial_number: one.extensions.get_extension_for_class(x509.CRLReason).value.reason
        for one in crl
    }
    assert reasons == {
        held: x509.ReasonFlags.certificate_hold,
        revoked: x509.ReasonFlags.affiliation_changed,
    }
    assert crl.last_update_utc == NOW
    centre.close()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "jpki").write_text("a file where the folder should be")
    with pytest.raises(KofuError, match=r"cannot write .*jpki.*KOFU_VAR"):
        opened(tmp_path, NOW)
