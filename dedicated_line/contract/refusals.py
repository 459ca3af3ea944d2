"""Public refusal codes: what a resident may be told, one word for each thing to do."""

from enum import StrEnum


class Refusal(StrEnum):
    """Why a resident is not served now. `COUNTER` is the neutral one and hides its reason."""

    WRONG_PIN = "wrong-pin"
    PIN_BLOCKED = "pin-blocked"
    LAST_TRY = "last-try"
    """One try is left; the resident must say that they want to use it."""
    OLD_JUKI_CARD = "old-juki-card"
    UNKNOWN_CARD = "unknown-card"
    CERTIFICATE_EXPIRED = "certificate-expired"
    CERTIFICATE_REVOKED = "certificate-revoked"
    CERTIFICATE_UNKNOWN = "certificate-unknown"
    """Not of a CA generation that is trusted here, or of another environment."""
    CARD_NOT_CONFIRMED = "card-not-confirmed"
    """The signature, or the certificate's form, does not hold."""
    REGISTERED_TOMORROW = "registered-tomorrow"
    """Card, PIN or residence new today: usable from the next day."""
    CANNOT_CONFIRM = "cannot-confirm"
    """The validity centre cannot say now."""
    NOT_PARTICIPATING = "not-participating"
    NOT_YET_PARTICIPATING = "not-yet-participating"
    KIND_CLOSED = "kind-closed"
    STOPPED = "stopped"
    KIOSK_OUTDATED = "kiosk-outdated"
    """Software or layout of this kiosk is not on the approved list."""
    COUNTER = "counter"
    """Please ask at the counter; the reason is never said."""
    UNAVAILABLE = "unavailable"
    """The issuing server is down, slow, or its register too old."""
    CHANGED = "changed"
    """Something changed between order and release; nothing is charged."""


class Audience(StrEnum):
    """For whom a text is written."""

    RESIDENT = "resident"
    STAFF = "staff"
    OPERATOR = "operator"
