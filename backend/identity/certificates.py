"""X.509 as the card and the trust folder have it: parsing, and who issued whom."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtensionOID, NameOID

from backend.identity.errors import NoTrustError
from backend.identity.model import UserCertificateForm

MAX_CERTIFICATE_BYTES: Final = 8192
"""A user certificate has about 1.5 KB; more than this is none."""
MIN_RSA_BITS: Final = 2048
_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.ISSUER_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
    }
)
_UNREADABLE: Final = (
    ValueError,
    TypeError,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    UnsupportedAlgorithm,
)
"""All that reading a certificate can raise; the last four are no ValueError."""
_STRONG: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)


class MalformedCertificateError(ValueError):
    """The bytes are not an X.509 certificate that can be read to its end."""


def load_certificate(der: bytes) -> x509.Certificate:
    """Read DER; raise MalformedCertificateError when it is not exactly one certificate."""
    if len(der) > MAX_CERTIFICATE_BYTES:
        raise MalformedCertificateError("too long for a user certificate")
    try:
        certificate = x509.load_der_x509_certificate(der)
        # Extensions, names, dates and key are read only when asked for: ask now.
        _ = (certificate.extensions, certificate.issuer, certificate.subject)
        _ = (certificate.not_valid_before_utc, certificate.signature_hash_algorithm)
        _ = certificate.public_key()
    except _UNREADABLE as error:
        raise MalformedCertificateError("not an X.509 certificate") from error
    return certificate


def _organisation(name: x509.Name) -> str | None:
    values = name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(values[0].value) if len(values) == 1 else None


def _digital_signature_only(certificate: x509.Certificate) -> bool:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.KeyUsage)
    except x509.ExtensionNotFound:
        return False
    usage = extension.value
    others = (
        usage.content_commitment,
        usage.key_encipherment,
        usage.data_encipherment,
        usage.key_agreement,
        usage.key_cert_sign,
        usage.crl_sign,
    )
    return extension.critical and usage.digital_signature and not any(others)


def _policies(certificate: x509.Certificate) -> frozenset[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.CertificatePolicies)
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(policy.policy_identifier.dotted_string for policy in extension.value)


def is_ca(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate says that it may issue others."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return extension.value.ca


def form_of(certificate: x509.Certificate) -> UserCertificateForm:
    """Return what a certificate says of itself."""
    return UserCertificateForm(
        version_3=certificate.version is x509.Version.v3,
        organisation=_organisation(certificate.issuer),
        digital_signature_only=_digital_signature_only(certificate),
        policies=_policies(certificate),
        is_ca=is_ca(certificate),
        unknown_critical=any(
            extension.critical and extension.oid not in _UNDERSTOOD
            for extension in certificate.extensions
        ),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def issued_by(certificate: x509.Certificate, ca: x509.Certificate) -> bool:
    """Tell whether a CA's key signed a certificate, with a digest that is still strong."""
    if not isinstance(certificate.signature_hash_algorithm, _STRONG):
        return False
    try:
        certificate.verify_directly_issued_by(ca)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


@dataclass(frozen=True)
class TrustedCa:
    """One generation of the user-authentication CA."""

    generation: str
    certificate: x509.Certificate
    key_id: bytes
    """Its subject key identifier."""

    def in_term(self, now: datetime) -> bool:
        """Tell whether the CA certificate itself is valid now."""
        return self.certificate.not_valid_before_utc <= now <= self.certificate.not_valid_after_utc


@dataclass(frozen=True)
class TrustedCas:
    """The CA generations that are trusted here; all of them share one name."""

    by_generation: Mapping[str, TrustedCa]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a folder of ``<generation>.pem``; raise NoTrustError when it holds no trust."""
        try:
            files = sorted(folder.glob("*.pem"))
            cas = [_load_ca(file) for file in files]
        except OSError as error:
            raise NoTrustError(
                f"the trusted CA certificates in {folder} cannot be read; check who may read them"
            ) from error
        if not cas:
            raise NoTrustError(
                f"there is no trusted CA certificate in {folder}; put one <generation>.pem each "
                "there (in simulation: kofu-backend world load)"
            )
        return cls(MappingProxyType({ca.generation: ca for ca in cas}))

    def __iter__(self) -> Iterator[TrustedCa]:
        return iter(self.by_generation.values())

    def issuer_of(self, certificate: x509.Certificate) -> TrustedCa | None:
        """Return the CA whose key identifier and signature fit; the name alone decides nothing."""
        try:
            extension = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
        except x509.ExtensionNotFound:
            return None
        for ca in self:
            if ca.key_id == extension.value.key_identifier and issued_by(
                certificate, ca.certificate
            ):
                return ca
        return None


def _load_ca(file: Path) -> TrustedCa:
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
        extensions = certificate.extensions
        key_id = extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        may_issue = extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except (ValueError, x509.ExtensionNotFound, UnsupportedAlgorithm) as error:
        raise NoTrustError(
            f"{file} is not a CA certificate; take it out of the folder of trust"
        ) from error
    if not (may_issue and is_ca(certificate)):
        raise NoTrustError(
            f"{file} is a certificate, but not of a CA; take it out of the folder of trust"
        )
    return TrustedCa(file.stem, certificate, key_id)
