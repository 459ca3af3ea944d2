"""Inputs that a campaign has found, kept."""

import pytest
from card_fuzz_certificates import Certificates

from backend.identity.certificates import MalformedCertificateError, load_certificate
from kiosk.cards.certificate import read_certificate
from kiosk.cards.errors import CardFaultError

VERSION_3 = bytes.fromhex("A003020102")
"""[0] EXPLICIT Version v3 (RFC 5280, 4.1)."""


def test_a_certificate_of_no_known_version_is_malformed_and_no_surprise() -> None:
    damaged = Certificates().good.replace(VERSION_3, bytes.fromhex("A003020141"), 1)
    with pytest.raises(MalformedCertificateError):
        load_certificate(damaged)
    with pytest.raises(CardFaultError):
        read_certificate(damaged)


def test_a_name_of_bits_is_malformed_and_no_surprise() -> None:
    # A country name as BIT STRING (tag 03) with no unused bits.
    damaged = Certificates().good.replace(b"\x13\x02JP", b"\x03\x02\x00P")
    with pytest.raises(MalformedCertificateError):
        load_certificate(damaged)
    with pytest.raises(CardFaultError):
        read_certificate(damaged)
