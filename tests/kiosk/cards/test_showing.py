"""A card in a few lines, and its certificate as it says."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_der_private_key
from hypothesis import given
from hypothesis import strategies as st

from kiosk.cards.certificate import read_certificate
from kiosk.cards.errors import CardFaultError, UnknownCardError
from kiosk.cards.showing import shown
from kiosk.simulated.card import VirtualCard

NOW = datetime(2026, 6, 15, tzinfo=UTC)


def test_a_card_is_shown_without_a_pin_and_costs_no_try(make_card: Callable[..., Any]) -> None:
    card = VirtualCard(make_card(tries=2).file)
    text = "\n".join(shown(card.answer, NOW))
    assert "medium      My Number Card (JPKIAPICCTOKEN2)" in text
    assert "CN          user of test-taro" in text
    assert "valid       2026-01-01 09:00 JST to 2030-12-06 09:00 JST\n" in text
    assert "tries left  2" in text
    assert "served      yes, if the centre confirms it" in text
    assert card.file.tries == 2


@pytest.mark.parametrize(
    ("changes", "now", "words"),
    [
        ({"label": "JPKIAPIOSTOKEN"}, NOW, "medium      phone (iPhone)"),
        ({"label": "JPKIAPICCTOKEN"}, NOW, "expired on 2025-12-28"),
        ({"label": "JPKIAPICCTOKEN"}, datetime(2017, 8, 15, tzinfo=UTC), "perhaps still"),
        ({"label": "ELSE"}, NOW, "unknown card (ELSE)"),
        ({"label": "\x1b[2J"}, NOW, "unknown card (?[2J)"),
        ({"tries": 0}, NOW, "no: the PIN is blocked"),
        ({"tries": 1}, NOW, "served      yes"),
        ({}, datetime(2031, 1, 1, tzinfo=UTC), "JST, expired"),
    ],
)
def test_what_stands_against_a_card_is_shown(
    make_card: Callable[..., Any], changes: dict[str, Any], now: datetime, words: str
) -> None:
    assert words in "\n".join(shown(VirtualCard(make_card(**changes).file).answer, now))


def test_a_certificate_without_an_end_never_ends(make_card: Callable[..., Any]) -> None:
    file = make_card().file
    key = load_der_private_key(file.user_key, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    name = x509.Name([])
    endless = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(1950, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    card = VirtualCard(
        file.model_copy(update={"user_certificate": endless.public_bytes(Encoding.DER)})
    )
    assert "valid       1950-01-01 09:00 JST to never\n" in "\n".join(shown(card.answer, NOW))


def test_a_foreign_card_is_an_unknown_card() -> None:
    with pytest.raises(UnknownCardError):
        shown(lambda _apdu: b"\x6a\x82", NOW)


def test_a_file_that_is_no_certificate_is_a_fault_of_the_card(
    make_card: Callable[..., Any],
) -> None:
    file = make_card().file.model_copy(update={"user_certificate": b"\x30\x02\x05\x00"})
    with pytest.raises(CardFaultError, match="reading the user certificate"):
        shown(VirtualCard(file).answer, NOW)


@given(st.binary(max_size=2000))
def test_no_bytes_make_the_reading_of_a_certificate_fail_otherwise(der: bytes) -> None:
    with pytest.raises(CardFaultError):
        read_certificate(der)
