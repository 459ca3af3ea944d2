"""What is true of a card's holder: who they are to us, and what their user certificate must say."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from dedicated_line.contract.environment import Environment
from dedicated_line.contract.refusals import Refusal

USER_AUTHENTICATION_POLICY: Final = "1.2.392.200149.8.5.1.3.30"
"""Policy of JPKI user-authentication certificates; signature certificates have another."""
ORGANISATIONS: Final = {Environment.PRODUCTION: "JPKI", Environment.SIMULATION: "JPKI-TEST"}
"""The O= of a CA tells its environment; each environment refuses the other's certificates."""
STATUS_SKEW: Final = timedelta(seconds=60)
"""How far the validity centre's clock may be from ours."""
_TOKYO: Final = ZoneInfo("Asia/Tokyo")


@dataclass(frozen=True)
class CardHolder:
    """Whoever holds the card: to the centre a CA generation and a serial, never a name."""

    generation: str
    """The CA generation that issued the user certificate: the name of its file of trust."""
    serial: int
    fingerprint: str
    """SHA-256 of the user certificate's DER, in lower-case hexadecimal."""
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True)
class UserCertificateForm:
    """What a user certificate says of itself, beside its signature."""

    version_3: bool
    organisation: str | None
    """O= of its issuer; None when there is none, or more than one."""
    digital_signature_only: bool
    """Its critical key usage is digital signature and nothing else."""
    policies: frozenset[str]
    is_ca: bool
    unknown_critical: bool
    """It has a critical extension that nobody here understands."""
    not_before: datetime
    not_after: datetime


def environment_refusal(form: UserCertificateForm, environment: Environment) -> Refusal | None:
    """Refuse the certificates of another environment: real ones here, test ones in production."""
    if form.organisation != ORGANISATIONS[environment]:
        return Refusal.CERTIFICATE_UNKNOWN
    return None


def form_refusal(form: UserCertificateForm) -> Refusal | None:
    """Refuse whatever is not a user-authentication certificate."""
    fits = (
        form.version_3
        and form.digital_signature_only
        and USER_AUTHENTICATION_POLICY in form.policies
        and not form.is_ca
        and not form.unknown_critical
    )
    return None if fits else Refusal.CARD_NOT_CONFIRMED


def dates_refusal(form: UserCertificateForm, now: datetime) -> Refusal | None:
    """Refuse an expired certificate, one of the future, and one that is new today in Tokyo."""
    if now > form.not_after:
        return Refusal.CERTIFICATE_EXPIRED
    if form.not_before.astimezone(_TOKYO).date() == now.astimezone(_TOKYO).date():
        return Refusal.REGISTERED_TOMORROW
    if now < form.not_before:
        return Refusal.CARD_NOT_CONFIRMED
    return None


class CertificateStatus(StrEnum):
    """What a validity centre says of a user certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    """For ever, or on hold: both end the same way here."""
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class StatusAnswer:
    """The validity centre's answer, once its signature and nonce have been verified."""

    status: CertificateStatus
    this_update: datetime
    next_update: datetime | None


def status_refusal(answer: StatusAnswer, now: datetime) -> Refusal | None:
    """Refuse the revoked; refuse to decide on an answer that is not certain and of now."""
    if answer.next_update is None:
        return Refusal.CANNOT_CONFIRM
    if not answer.this_update - STATUS_SKEW <= now <= answer.next_update + STATUS_SKEW:
        return Refusal.CANNOT_CONFIRM
    if answer.status is CertificateStatus.REVOKED:
        return Refusal.CERTIFICATE_REVOKED
    if answer.status is CertificateStatus.UNKNOWN:
        return Refusal.CANNOT_CONFIRM
    return None
