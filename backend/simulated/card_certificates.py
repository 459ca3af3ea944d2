"""The two certificates of a simulated card, in the form that JPKI gives them."""

from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from backend.simulated.authorities import Authority, authority_key_id, key_usage

USER_POLICY: Final = "1.2.392.200149.8.5.1.3.30"
SIGNATURE_POLICY: Final = "1.2.392.200149.8.5.1.1.20"
SIGNATURE_NAME: Final = "1.2.392.200149.8.5.5.1"
"""The otherName that holds the holder's name in a signature certificate."""
_UTF8_STRING: Final = 0x0C
_SHORT_LENGTH: Final = 0x80

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


def _start(
    ca: Authority, key: PublicKey, serial: int, common_name: str, term: tuple[datetime, datetime]
) -> x509.CertificateBuilder:
    issuer_alternative = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "公的個人認証サービス(模擬)"),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(
            x509.Name(
                [
                    x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
                    x509.NameAttribute(NameOID.COMMON_NAME, common_name),
                ]
            )
        )
        .issuer_name(ca.certificate.subject)
        .public_key(key)
        .serial_number(serial)
        .not_valid_before(term[0])
        .not_valid_after(term[1])
        .add_extension(
            x509.IssuerAlternativeName([x509.DirectoryName(issuer_alternative)]), critical=False
        )
        .add_extension(authority_key_id(ca.certificate), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _policy(oid: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(oid), policy_qualifiers=None)]
    )


def user_certificate(
    ca: Authority, key: PublicKey, serial: int, opaque: str, term: tuple[datetime, datetime]
) -> x509.Certificate:
    """Return a user-authentication certificate: no name, no address, an opaque CN."""
    return (
        _start(ca, key, serial, opaque, term)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(_policy(USER_POLICY), critical=True)
        .sign(ca.key, ca.digest)
    )


def signature_certificate(
    ca: Authority, key: PublicKey, serial: int, persona: str, term: tuple[datetime, datetime]
) -> x509.Certificate:
    """Return a signature certificate; instead of a name it has the persona's id."""
    text = persona.encode()
    if len(text) >= _SHORT_LENGTH:
        raise ValueError("a persona's id is shorter than 128 bytes")
    name = x509.OtherName(
        x509.ObjectIdentifier(SIGNATURE_NAME), bytes([_UTF8_STRING, len(text)]) + text
    )
    return (
        _start(ca, key, serial, f"{serial:x}", term)
        .add_extension(key_usage(digital_signature=True, content_commitment=True), critical=True)
        .add_extension(_policy(SIGNATURE_POLICY), critical=True)
        .add_extension(x509.SubjectAlternativeName([name]), critical=False)
        .sign(ca.key, ca.digest)
    )
