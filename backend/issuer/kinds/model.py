"""Who may have a certificate: reasons that stay inside, and the one public word for them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from backend.issuer.register.model import Household, Resident, age_on
from dedicated_line.contract.refusals import Refusal

LEAST_AGE: Final = 15
"""Who is younger has no certificate from a kiosk (facts: 15歳未満)."""


class Reason(StrEnum):
    """Why somebody is refused: for the municipality's own console only."""

    NOT_HOSTED = "not-hosted"
    """The municipality's register is not here."""
    STALE = "stale"
    NO_SIGNING_KEY = "no-signing-key"
    """No key of the municipality that the published key list trusts now."""
    LAYOUT = "layout"
    """Ordered with a layout that is not the one approved here."""
    MOVED_IN_TODAY = "moved-in-today"
    NOT_IN_REGISTER = "not-in-register"
    UNDER_AGE = "under-age"
    PROTECTED = "protected"
    DECEASED = "deceased"
    MOVED_OUT = "moved-out"
    MOVING = "moving"
    BEING_EDITED = "being-edited"
    HOUSEHOLD_INCOMPLETE = "household-incomplete"
    NOT_PRINTABLE = "not-printable"
    """A character that no font has, or a text that does not fit the page."""


_PUBLIC: Final = {
    Reason.NOT_HOSTED: Refusal.UNAVAILABLE,
    Reason.STALE: Refusal.UNAVAILABLE,
    Reason.NO_SIGNING_KEY: Refusal.UNAVAILABLE,
    Reason.LAYOUT: Refusal.KIOSK_OUTDATED,
    Reason.MOVED_IN_TODAY: Refusal.REGISTERED_TOMORROW,
}


def public(reason: Reason) -> Refusal:
    """Return what a resident may be told; every reason about a person is the neutral one."""
    return _PUBLIC.get(reason, Refusal.COUNTER)


@dataclass(frozen=True)
class Refused:
    """A rule said no."""

    reason: Reason
    resident: str | None = None
    """Whom it is about, where it is about one person."""


def standing_reason(resident: Resident) -> Reason | None:
    """Return why nothing may be issued about this person, whoever asks."""
    standing = resident.standing
    if standing.protected:
        return Reason.PROTECTED
    if standing.deceased_on is not None:
        return Reason.DECEASED
    if standing.moved_out_on is not None:
        return Reason.MOVED_OUT
    if standing.moving:
        return Reason.MOVING
    if standing.being_edited:
        return Reason.BEING_EDITED
    return None


def household_refusal(
    household: Household, holder: Resident, asked_for: frozenset[str], today: date
) -> Refused | None:
    """Decide whether the holder may have a certificate of those asked for, or of nobody.

    Everybody in the household counts as soon as anybody but the holder is asked for.

    Args:
        household: the holder's.
        holder: whose card it is.
        asked_for: resident ids, all of them members.
        today: the Tokyo date.
    """
    if holder.history.became_resident >= today:
        return Refused(Reason.MOVED_IN_TODAY, holder.id)
    alone = asked_for == {holder.id}
    for person in (holder,) if alone else household.members:
        reason = standing_reason(person)
        if reason is not None:
            return Refused(reason, person.id)
    if age_on(holder.birth_date, today) < LEAST_AGE:
        return Refused(Reason.UNDER_AGE, holder.id)
    if not household.complete:
        return Refused(Reason.HOUSEHOLD_INCOMPLETE)
    return None
