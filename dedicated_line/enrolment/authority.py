"""The line's own certificate authority: P-256, X.509 (RFC 5280)."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dedicated_line.clock import Clock, Entropy

SERVER_NAME: Final = "kofu-line"
"""The DNS name that the kiosk's end expects in the centre end's certificate."""
AUTHORITY_NAME: Final = "Kofu dedicated line CA"
AUTHORITY_LIFE: Final = timedelta(days=3650)
LEAF_LIFE: Final = timedelta(days=730)
BACKDATE: Final = timedelta(minutes=5)
"""Two machines' clocks may differ by that much."""
SERIAL_BYTES: Final = 16
"""More than 64 unpredictable bits, fewer than the 20 bytes of RFC 5280, section 4.1.2.2."""
_KEY_USES: Final = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class KeyPair:
    """An X.509 certificate of the line and its private key."""

    x509: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def x509_pem(self) -> bytes:
        """Return the certificate as PEM."""
        return self.x509.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """Return the private key as PEM (PKCS#8, not encrypted)."""
        return private_pem(self.key)

    @property
    def serial(self) -> str:
        """Return the serial number in lower-case hexadecimal, without leading zeros."""
        return format(self.x509.serial_number, "x")


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a private key as PEM (PKCS#8, not encrypted)."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_pair(x509_pem: bytes, key_pem: bytes) -> KeyPair:
    """Read a pair back; ValueError when the two are not PEM, not P-256 or not one pair."""
    found = x509.load_pem_x509_certificate(x509_pem)
    key = load_pem_private_key(key_pem, password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != found.public_key():
        raise ValueError("certificate and private key do not belong together")
    return KeyPair(found, key)


def expires_within(pair: KeyPair, now: datetime, span: timedelta) -> bool:
    """Tell whether a certificate is not valid any more after a span from now."""
    return pair.x509.not_valid_after_utc <= now + span


@dataclass(frozen=True)
class Maker:
    """Makes certificates, with real time (TLS knows no domain time) and randomness passed in."""

    clock: Clock
    entropy: Entropy

    def authority(self) -> KeyPair:
        """Make a new CA, which signs itself and nothing but leaves."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name(AUTHORITY_NAME)
        builder = (
            self._builder(name, key, AUTHORITY_LIFE)
            .issuer_name(name)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)
        )
        return KeyPair(builder.sign(key, hashes.SHA256()), key)

    def server(self, authority: KeyPair) -> KeyPair:
        """Make the centre end's certificate."""
        names: list[x509.GeneralName] = [
            x509.DNSName(SERVER_NAME),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        return self._leaf(authority, SERVER_NAME, ExtendedKeyUsageOID.SERVER_AUTH, names)

    def kiosk(self, authority: KeyPair, kiosk: str) -> KeyPair:
        """Make a kiosk's certificate: its common name is the kiosk's id."""
        return self._leaf(authority, kiosk, ExtendedKeyUsageOID.CLIENT_AUTH, [])

    def _leaf(
        self,
        authority: KeyPair,
        name: str,
        use: x509.ObjectIdentifier,
        alternative: Sequence[x509.GeneralName],
    ) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        signer = authority.key.public_key()
        builder = (
            self._builder(_name(name), key, LEAF_LIFE)
            .issuer_name(authority.x509.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage("digital_signature"), critical=True)
            .add_extension(x509.ExtendedKeyUsage([use]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False
            )
        )
        if alternative:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(alternative), critical=False
            )
        return KeyPair(builder.sign(authority.key, hashes.SHA256()), key)

    def _builder(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, life: timedelta
    ) -> x509.CertificateBuilder:
        now = self.clock.real_now()
        public_key = key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .public_key(public_key)
            .serial_number((int.from_bytes(self.entropy.token(SERIAL_BYTES), "big") >> 1) + 1)
            .not_valid_before(now - BACKDATE)
            .not_valid_after(now + life)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key_usage(*uses: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{use: use in uses for use in _KEY_USES})
