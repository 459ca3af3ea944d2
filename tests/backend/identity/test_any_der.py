"""Whatever a card gives out as its certificate, reading it ends in a certificate or one error."""

from contextlib import suppress

import pytest
from card_fuzz_certificates import Certificates
from hypothesis import given
from hypothesis import strategies as st

from backend.identity.certificates import MalformedCertificateError, form_of, load_certificate
from kiosk.cards.certificate import read_certificate
from kiosk.cards.errors import CardFaultError

GOOD = Certificates().good


@given(st.binary(max_size=2000))
def test_any_bytes_are_no_certificate(der: bytes) -> None:
    with pytest.raises(MalformedCertificateError):
        load_certificate(der)
    with pytest.raises(CardFaultError):
        read_certificate(der)


@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255), st.integers(0, 3))
def test_a_damaged_certificate_is_read_or_refused(place: int, byte: int, cut: int) -> None:
    damaged = GOOD[:place] + bytes([byte]) + GOOD[place + cut :]
    with suppress(MalformedCertificateError):
        form_of(load_certificate(damaged))
    with suppress(CardFaultError):
        read_certificate(damaged)
