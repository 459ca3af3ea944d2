"""Participation (導入団体): what is open, since when, until when, for what fee."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.refusals import Refusal

MOST_YEN: Final = 10_000
"""No certificate costs more; a fee above it is a slip of the finger."""


@dataclass(frozen=True)
class Municipality:
    """A municipality, or a prefecture, whose own name is then empty."""

    code: str
    prefecture: str
    name: str
    kana: str

    @property
    def full_name(self) -> str:
        """Return the name with its prefecture, such as 山口県下関市."""
        return self.prefecture + self.name


@dataclass(frozen=True)
class Change:
    """One decision about one kind; none is ever changed or taken away."""

    kind: Kind
    open: bool
    effective_from: datetime
    fee: int
    """Yen a copy."""
    actor: str = ""
    """Who decided, by log-in, or what loaded it."""
    comment: str = ""
    made_at: datetime | None = None
    """When it was decided (domain time); None when it was loaded and nobody knows."""
    sequence: int = 0
    """Grows with every change; of two for the same moment the later made one holds."""


@dataclass(frozen=True)
class Offer:
    """What holds for one kind at one moment."""

    open: bool
    reason: Refusal | None
    """Why it is closed; None when open."""
    opens_at: datetime | None
    """When it opens next, as far as is decided; None when open or when nothing is ahead."""
    fee: int
    """Yen a copy: now, or when it opens next."""


@dataclass(frozen=True)
class Wish:
    """What a change says, before anybody has made it."""

    open: bool
    effective_from: datetime
    fee: int


def timeline(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes of one kind that hold: by moment, and for each moment the last made."""
    holding = {
        change.effective_from: change
        for change in sorted(changes, key=lambda change: (change.effective_from, change.sequence))
    }
    return tuple(holding.values())


def offer_at(changes: Iterable[Change], at: datetime) -> Offer:
    """Return what a resident is offered at that moment, by the changes of one kind."""
    line = timeline(changes)
    past = [change for change in line if change.effective_from <= at]
    now = past[-1] if past else None
    if now is not None and now.open:
        return Offer(open=True, reason=None, opens_at=None, fee=now.fee)
    opening = next((change for change in line if change.effective_from > at and change.open), None)
    if any(change.open for change in past):
        reason = Refusal.KIND_CLOSED
    elif opening is not None:
        reason = Refusal.NOT_YET_PARTICIPATING
    else:
        reason = Refusal.NOT_PARTICIPATING
    said = opening or now
    return Offer(
        open=False,
        reason=reason,
        opens_at=opening.effective_from if opening else None,
        fee=said.fee if said else 0,
    )


def offer_after(changes: Iterable[Change], kind: Kind, wish: Wish) -> Offer:
    """Return what a resident would be offered at the wish's moment if it were made now."""
    changes = tuple(changes)
    wished = Change(
        kind=kind,
        open=wish.open,
        effective_from=wish.effective_from,
        fee=wish.fee,
        sequence=max((change.sequence for change in changes), default=0) + 1,
    )
    return offer_at((*changes, wished), wish.effective_from)


def since(changes: Iterable[Change], at: datetime) -> datetime | None:
    """Return since when it has been as it is at that moment: open or closed, at this fee."""
    start: Change | None = None
    for change in timeline(changes):
        if change.effective_from > at:
            break
        if start is None or (change.open, change.fee) != (start.open, start.fee):
            start = change
    return start.effective_from if start else None


def ahead(changes: Iterable[Change], at: datetime) -> tuple[Change, ...]:
    """Return the changes after that moment that will make a difference, the next one first."""
    line = timeline(changes)
    past = [change for change in line if change.effective_from <= at]
    state = (past[-1].open, past[-1].fee) if past else (False, None)
    coming = []
    for change in line[len(past) :]:
        closed_before_and_after = not change.open and not state[0]
        if (change.open, change.fee) != state and not closed_before_and_after:
            coming.append(change)
        state = (change.open, change.fee)
    return tuple(coming)


def undo_of(changes: Sequence[Change], now: datetime) -> Wish | None:
    """Return the change that takes the last made one back; None when there is nothing to undo.

    What was already in effect is taken back from now on; what lies ahead, at its own moment.
    """
    if not changes:
        return None
    last = max(changes, key=lambda change: change.sequence)
    moment = max(last.effective_from, now)
    others = timeline(change for change in changes if change is not last)
    before = [change for change in others if change.effective_from <= moment]
    if not before:
        return Wish(open=False, effective_from=moment, fee=last.fee)
    return Wish(open=before[-1].open, effective_from=moment, fee=before[-1].fee)
