"""What can be asked of identity: whether the card's word holds, and whose card it is."""

import hashlib
from datetime import datetime
from typing import Final, Protocol

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from backend.identity.certificates import (
    MIN_RSA_BITS,
    MalformedCertificateError,
    TrustedCa,
    TrustedCas,
    form_of,
    load_certificate,
)
from backend.identity.errors import CardRefusedError
from backend.identity.model import (
    CardHolder,
    UserCertificateForm,
    dates_refusal,
    environment_refusal,
    form_refusal,
)
from dedicated_line.contract.card_message import card_message
from dedicated_line.contract.environment import Environment
from dedicated_line.contract.issuing import CardWord
from dedicated_line.contract.keys import decode_public_key
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.sessions import CHALLENGE_BYTES, CardAlgorithm

__all__ = ["CardRefusedError", "TrustedCas", "ValidityCentre", "verify_card_word"]

_MAX_SIGNATURE_BYTES: Final = 1024


class ValidityCentre(Protocol):
    """Whoever answers for user certificates now."""

    def require_good(self, holder: CardHolder, user_certificate: bytes) -> None:
        """Return when the certificate is good now; raise CardRefusedError in every other case.

        Args:
            holder: as `verify_card_word` returned it.
            user_certificate: the DER that was verified.
        """
        ...


def verify_card_word(
    cas: TrustedCas, environment: Environment, centre_id: str, word: CardWord, now: datetime
) -> CardHolder:
    """Return the holder once everything but revocation has been checked; else CardRefusedError.

    The certificate's chain (by key identifier and signature), form, environment and dates; that
    the session's keys are P-256 points; and the card's signature over `card_message`, which is
    built here from the session's own values.

    Args:
        cas: the trusted CA generations.
        environment: ours; the other one's certificates are refused.
        centre_id: the id that the card signed along.
        word: session, kiosk and challenge as the centre gave them, and what the kiosk presented.
        now: domain time.
    """
    der = word.holder.user_certificate
    try:
        certificate = load_certificate(der)
        form = form_of(certificate)
    except MalformedCertificateError as error:
        raise CardRefusedError(Refusal.CARD_NOT_CONFIRMED, str(error)) from error
    ca = _issuer(cas, certificate, form, environment)
    _refuse(form_refusal(form), "not a user-authentication certificate")
    _require_signature(certificate, word, environment, centre_id)
    _refuse(dates_refusal(form, now), "by its dates")
    if not ca.in_term(now):
        raise CardRefusedError(
            Refusal.CERTIFICATE_UNKNOWN, f"the CA {ca.generation} is out of term"
        )
    return CardHolder(
        generation=ca.generation,
        serial=certificate.serial_number,
        fingerprint=hashlib.sha256(der).hexdigest(),
        not_before=form.not_before,
        not_after=form.not_after,
    )


def _refuse(refusal: Refusal | None, detail: str) -> None:
    if refusal is not None:
        raise CardRefusedError(refusal, detail)


def _issuer(
    cas: TrustedCas,
    certificate: x509.Certificate,
    form: UserCertificateForm,
    environment: Environment,
) -> TrustedCa:
    _refuse(environment_refusal(form, environment), f"not of the environment {environment}")
    ca = cas.issuer_of(certificate)
    if ca is None:
        raise CardRefusedError(Refusal.CERTIFICATE_UNKNOWN, "no trusted CA issued it")
    return ca


def _require_signature(
    certificate: x509.Certificate, word: CardWord, environment: Environment, centre_id: str
) -> None:
    holder = word.holder
    try:
        decode_public_key(holder.signing_key)
        decode_public_key(holder.receiving_key)
    except ValueError as error:
        raise CardRefusedError(
            Refusal.CARD_NOT_CONFIRMED, "a session key is not a P-256 point"
        ) from error
    if len(word.challenge) != CHALLENGE_BYTES or len(holder.card_signature) > _MAX_SIGNATURE_BYTES:
        raise CardRefusedError(Refusal.CARD_NOT_CONFIRMED, "a challenge or signature of no size")
    message = card_message(
        environment=environment,
        centre=centre_id,
        kiosk=word.kiosk,
        session=word.session,
        challenge=word.challenge,
        signing_key=holder.signing_key,
        receiving_key=holder.receiving_key,
    )
    key = certificate.public_key()
    try:
        match holder.algorithm:
            case CardAlgorithm.RS256:
                if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_RSA_BITS:
                    raise CardRefusedError(Refusal.CARD_NOT_CONFIRMED, "RS256 with another key")
                key.verify(holder.card_signature, message, padding.PKCS1v15(), hashes.SHA256())
            case CardAlgorithm.ES384:
                if not (
                    isinstance(key, ec.EllipticCurvePublicKey)
                    and isinstance(key.curve, ec.SECP384R1)
                ):
                    raise CardRefusedError(Refusal.CARD_NOT_CONFIRMED, "ES384 with another key")
                key.verify(holder.card_signature, message, ec.ECDSA(hashes.SHA384()))
    except InvalidSignature as error:
        raise CardRefusedError(
            Refusal.CARD_NOT_CONFIRMED, "the card did not sign this session"
        ) from error
