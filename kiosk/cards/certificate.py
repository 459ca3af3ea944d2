"""What a user certificate says of itself. Nothing is believed of it here: the centre checks."""

from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from kiosk.cards.errors import CardFaultError


@dataclass(frozen=True)
class CertificateSays:
    """Its own words, unchecked."""

    common_name: str
    """Of a user certificate: opaque, no name of a person."""
    organisation: str
    """Of its issuer: ``JPKI``, or ``JPKI-TEST`` in simulation."""
    serial: int
    not_before: datetime
    not_after: datetime

    def expired(self, now: datetime) -> bool:
        """Tell whether it has ended by that time."""
        return now > self.not_after


def _first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    values = name.get_attributes_for_oid(oid)
    return str(values[0].value) if values else ""


def read_certificate(der: bytes) -> CertificateSays:
    """Read a certificate as it came from a card; raise CardFaultError when it is none."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        return CertificateSays(
            common_name=_first(certificate.subject, NameOID.COMMON_NAME),
            organisation=_first(certificate.issuer, NameOID.ORGANIZATION_NAME),
            serial=certificate.serial_number,
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
        )
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm) as error:
        raise CardFaultError("reading the user certificate", None) from error
