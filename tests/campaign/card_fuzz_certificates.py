"""Certificates as a card has them, always the same, and a centre that trusts their CA."""

from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from backend.identity.certificates import TrustedCa, TrustedCas
from dedicated_line.contract.keys import encode_public_key

NOW = datetime(2026, 4, 1, tzinfo=UTC)


def certificate(
    key: ec.EllipticCurvePrivateKey,
    ca: ec.EllipticCurvePrivateKey,
    *extensions: x509.ExtensionType,
) -> bytes:
    """Return a certificate as a card has it, DER."""
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "JPKI"),
        ]
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - timedelta(days=30))
        .not_valid_after(NOW + timedelta(days=300))
    )
    for extension in extensions:
        made = made.add_extension(extension, critical=isinstance(extension, x509.KeyUsage))
    return made.sign(ca, hashes.SHA256(), ecdsa_deterministic=True).public_bytes(Encoding.DER)


def usage(*, ca: bool) -> x509.KeyUsage:
    """Return what a key may be used for."""
    no = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    return x509.KeyUsage(digital_signature=not ca, key_cert_sign=ca, **no)


class Certificates:
    """A CA, what it issued, and a centre that trusts it."""

    def __init__(self) -> None:
        # Fixed keys: a piece of a seed tries the same inputs each time.
        key, self.user = (ec.derive_private_key(n, ec.SECP384R1()) for n in (0xCA, 0xCAFE))
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        by = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
        ca = certificate(
            key, key, usage(ca=True), own, x509.BasicConstraints(ca=True, path_length=None)
        )
        policy = x509.PolicyInformation(x509.ObjectIdentifier("1.2.392.200149.8.5.1.3.30"), None)
        issuer = x509.IssuerAlternativeName([x509.DirectoryName(x509.Name([]))])
        self.good = certificate(
            self.user, key, usage(ca=False), by, x509.CertificatePolicies([policy]), issuer
        )
        self.seeds = [self.good, ca, certificate(self.user, key), certificate(self.user, key, by)]
        trusted = TrustedCa("g2023", x509.load_der_x509_certificate(ca), own.digest)
        self.cas = TrustedCas(MappingProxyType({"g2023": trusted}))
        self.point = encode_public_key(ec.derive_private_key(7, ec.SECP256R1()).public_key())
