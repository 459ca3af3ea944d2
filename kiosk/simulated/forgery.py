"""A card that is not what it says: certificates of others, keys of others, CAs of nobody.

No CA's key is in a card, so whatever is written anew here is signed by a CA made for it: with the
name of the one it imitates, as a forger would. Nothing of it is kept in the card's file.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from dedicated_line.contract.sessions import CardAlgorithm
from dedicated_line.contract.simulated_card import SimulatedCardFile
from dedicated_line.errors import UsageError
from kiosk.simulated.faults import Fault, FaultKind

REAL_ORGANISATION: Final = "JPKI"
"""O= of the real CAs; test cards say JPKI-TEST."""
_RSA_EXPONENT: Final = 65537
_RSA_BITS: Final = 2048
_DAY: Final = timedelta(days=1)
_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def forge(card: SimulatedCardFile, faults: Iterable[Fault]) -> SimulatedCardFile:
    """Return the card with every fault in what it was made with; those of contact change nothing.

    Raises:
        UsageError: the other card signs with another algorithm, so that none would take it.
    """
    for fault in faults:
        card = _forged(card, fault)
    return card


def _forged(card: SimulatedCardFile, fault: Fault) -> SimulatedCardFile:
    other = fault.other
    if other is not None and other.algorithm is not card.algorithm:
        raise UsageError(
            f"the card of {other.persona} signs with {other.algorithm}, this one with "
            f"{card.algorithm}; take something of a card of the same kind"
        )
    changed: dict[str, bytes] = {}
    match fault.kind:
        case FaultKind.UNTRUSTED_CA:
            changed = _written_anew(card)
        case FaultKind.REAL_JPKI:
            changed = _written_anew(card, organisation=REAL_ORGANISATION)
        case FaultKind.EXPIRED:
            changed = _written_anew(card, over=True)
        case FaultKind.CLONED:
            changed = {"user_key": _der(_new_key(card.algorithm))}
        case FaultKind.CA_OF if other is not None:
            changed = {"user_ca": other.user_ca}
        case FaultKind.CERTIFICATE_OF if other is not None:
            changed = {"user_certificate": other.user_certificate, "user_ca": other.user_ca}
        case FaultKind.KEY_OF if other is not None:
            changed = {"user_key": other.user_key}
        case _:
            pass  # a fault of contact
    return card.model_copy(update=changed)


def _new_key(algorithm: CardAlgorithm) -> _PrivateKey:
    if algorithm is CardAlgorithm.ES384:
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(_RSA_EXPONENT, _RSA_BITS)


def _der(key: _PrivateKey) -> bytes:
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def _with_organisation(name: x509.Name, organisation: str | None) -> x509.Name:
    if organisation is None:
        return name
    return x509.Name(
        x509.NameAttribute(part.oid, organisation)
        if part.oid == NameOID.ORGANIZATION_NAME
        else part
        for part in name
    )


def _written_anew(
    card: SimulatedCardFile, *, organisation: str | None = None, over: bool = False
) -> dict[str, bytes]:
    """Return a certificate written again, and the CA that was made for it."""
    key = _new_key(card.algorithm)
    digest = hashes.SHA384() if card.algorithm is CardAlgorithm.ES384 else hashes.SHA256()
    before = x509.load_der_x509_certificate(card.user_certificate)
    ca_before = x509.load_der_x509_certificate(card.user_ca)
    back = before.not_valid_after_utc - before.not_valid_before_utc + _DAY if over else 0 * _DAY
    issuer = _with_organisation(before.issuer, organisation)
    own_id = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    replaced = {
        x509.SubjectKeyIdentifier.oid: own_id,
        x509.AuthorityKeyIdentifier.oid: (
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own_id)
        ),
    }
    ca = (
        x509.CertificateBuilder()
        .subject_name(issuer)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(ca_before.serial_number)
        .not_valid_before(ca_before.not_valid_before_utc)
        .not_valid_after(ca_before.not_valid_after_utc)
    )
    for extension in ca_before.extensions:
        ca = ca.add_extension(replaced.get(extension.oid, extension.value), extension.critical)
    user = (
        x509.CertificateBuilder()
        .subject_name(before.subject)
        .issuer_name(issuer)
        .public_key(before.public_key())
        .serial_number(before.serial_number)
        .not_valid_before(before.not_valid_before_utc - back)
        .not_valid_after(before.not_valid_after_utc - back)
    )
    of_issuer = {x509.AuthorityKeyIdentifier.oid: replaced[x509.AuthorityKeyIdentifier.oid]}
    for extension in before.extensions:
        user = user.add_extension(of_issuer.get(extension.oid, extension.value), extension.critical)
    return {
        "user_certificate": user.sign(key, digest).public_bytes(Encoding.DER),
        "user_ca": ca.sign(key, digest).public_bytes(Encoding.DER),
    }
