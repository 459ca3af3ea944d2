"""The CAs of the simulated national centre: made once, kept in files, never those of real JPKI."""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from dedicated_line.errors import KofuError

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

ORGANISATION: Final = "JPKI-TEST"
"""As on real test cards, so that production refuses everything that comes from here."""
GENERATIONS: Final = ("g2015", "g2019", "g2023")
"""The three generations of today's card, which share one name."""
NEXT: Final = "next"
"""The CA of the next card: ECDSA P-384 with SHA-384."""
STRAY: Final = "stray"
"""A CA with the same name as the three, which nobody trusts."""
SIGNATURE: Final = "signature"
"""Issues signature certificates; no kiosk has a use for them."""
TRUSTED: Final = (*GENERATIONS, NEXT)
USER_CAS: Final = (*TRUSTED, STRAY)
CA_FROM: Final = datetime(2012, 1, 1, tzinfo=UTC)
CA_UNTIL: Final = datetime(2046, 1, 1, tzinfo=UTC)
"""Wider than a real generation's ten years, so that every world's day lies inside."""
RESPONDER_TERM: Final = timedelta(days=90)
RESPONDER_RENEWAL: Final = timedelta(days=30)
RSA_BITS: Final = 2048
RSA_EXPONENT: Final = 65537


@dataclass(frozen=True)
class Authority:
    """One CA: its certificate and key, and whoever answers OCSP in its name."""

    generation: str
    certificate: x509.Certificate
    key: PrivateKey
    responder_certificate: x509.Certificate | None = None
    responder_key: ec.EllipticCurvePrivateKey | None = None

    @property
    def digest(self) -> hashes.SHA256 | hashes.SHA384:
        """Return the digest that this CA signs with."""
        return digest_of(self.key)


def digest_of(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    """Return SHA-384 for P-384 and SHA-256 for everything else."""
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name == "secp384r1":
        return hashes.SHA384()
    return hashes.SHA256()


def new_rsa_key() -> rsa.RSAPrivateKey:
    """Return an RSA-2048 key, as in today's card; takes about 60 ms of one core."""
    return rsa.generate_private_key(RSA_EXPONENT, RSA_BITS)


def ca_name(generation: str) -> x509.Name:
    """Return the CA's distinguished name; the three generations and the stray share one."""
    use = {
        SIGNATURE: "JPKI for digital signature",
        NEXT: "JPKI for user authentication, next card",
    }.get(generation, "JPKI for user authentication")
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, use),
            x509.NameAttribute(
                NameOID.ORGANIZATIONAL_UNIT_NAME,
                "Japan Agency for Local Authority Information Systems",
            ),
        ]
    )


def key_usage(
    *, digital_signature: bool = False, content_commitment: bool = False, ca: bool = False
) -> x509.KeyUsage:
    """Return a key usage with nothing but what is asked for."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def authority_key_id(ca: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    """Return the extension that tells the generations apart."""
    subject_key_id = ca.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject_key_id)


def _ca_certificate(generation: str, key: PrivateKey, serial: int) -> x509.Certificate:
    name = ca_name(generation)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(CA_FROM)
        .not_valid_after(CA_UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(ca=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, digest_of(key))
    )


def _responder_certificate(
    ca: Authority, key: ec.EllipticCurvePrivateKey, now: datetime, serial: int
) -> x509.Certificate:
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, f"OCSP responder {ca.generation}"),
        ]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(ca.certificate.subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + RESPONDER_TERM)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
        .add_extension(x509.OCSPNoCheck(), critical=False)
        .add_extension(authority_key_id(ca.certificate), critical=False)
        .sign(ca.key, ca.digest)
    )


def write_private(file: Path, data: bytes) -> None:
    """Write a file that nobody else may read, whole or not at all."""
    part = file.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(data)
    part.replace(file)


def _write_key(file: Path, key: PrivateKey) -> None:
    write_private(file, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _read_key(file: Path) -> PrivateKey:
    key = load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise KofuError(f"{file} holds a key of another kind; remove the folder {file.parent}")
    return key


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder's lock: two commands that start together make one set of keys."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _authority(folder: Path, generation: str, serial: int) -> Authority:
    key_file, certificate_file = folder / f"{generation}.key", folder / f"{generation}.pem"
    if not certificate_file.exists():
        key: PrivateKey = (
            ec.generate_private_key(ec.SECP384R1()) if generation == NEXT else new_rsa_key()
        )
        certificate = _ca_certificate(generation, key, serial)
        _write_key(key_file, key)
        write_private(certificate_file, certificate.public_bytes(Encoding.PEM))
    return Authority(
        generation,
        x509.load_pem_x509_certificate(certificate_file.read_bytes()),
        _read_key(key_file),
    )


def _with_responder(ca: Authority, folder: Path, now: datetime, serial: int) -> Authority:
    key_file, file = folder / f"ocsp-{ca.generation}.key", folder / f"ocsp-{ca.generation}.pem"
    certificate = x509.load_pem_x509_certificate(file.read_bytes()) if file.exists() else None
    if certificate is None or not (
        certificate.not_valid_before_utc <= now
        and now + RESPONDER_RENEWAL <= certificate.not_valid_after_utc
    ):
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _responder_certificate(ca, key, now, serial)
        _write_key(key_file, key)
        write_private(file, certificate.public_bytes(Encoding.PEM))
    responder_key = _read_key(key_file)
    if not isinstance(responder_key, ec.EllipticCurvePrivateKey):
        raise KofuError(f"{key_file} holds a key of another kind; remove the folder {folder}")
    return Authority(ca.generation, ca.certificate, ca.key, certificate, responder_key)


def establish(
    folder: Path, trust_folder: Path, now: datetime, serials: Iterator[int]
) -> Mapping[str, Authority]:
    """Make what is missing of CAs and responders, publish the trusted ones, return all.

    Args:
        folder: private to the centre.
        trust_folder: gets ``<generation>.pem`` of each CA that is to be trusted.
        now: domain time; a responder certificate near its end is made anew.
        serials: fresh serial numbers.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with alone(folder):
        authorities = {
            generation: _with_responder(
                _authority(folder, generation, next(serials)), folder, now, next(serials)
            )
            for generation in USER_CAS
        }
        authorities[SIGNATURE] = _authority(folder, SIGNATURE, next(serials))
        trust_folder.mkdir(parents=True, exist_ok=True)
        for generation in TRUSTED:
            pem = authorities[generation].certificate.public_bytes(Encoding.PEM)
            published = trust_folder / f"{generation}.pem"
            if not published.exists() or published.read_bytes() != pem:
                part = published.with_suffix(".part")
                part.write_bytes(pem)
                part.replace(published)
    return authorities
