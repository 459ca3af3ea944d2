"""What can be asked of participation, and how it is changed."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, Engine

from backend.database import transaction
from backend.participation import store
from backend.participation.errors import (
    ChangedMeanwhileError,
    FeeOutOfRangeError,
    InThePastError,
    NothingChangesError,
    NothingToUndoError,
    UnknownMunicipalityError,
)
from backend.participation.model import (
    MOST_YEN,
    Change,
    Municipality,
    Offer,
    Wish,
    ahead,
    offer_at,
    since,
    undo_of,
)
from backend.participation.tables import own_municipalities, read_participation
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.line import LineEvent, LineEventKind


class Announcer(Protocol):
    """Tells kiosks that participation has changed; the next answer follows it in any case."""

    def announce(self, event: LineEvent) -> None:
        """Publish the event, or log that it could not be published."""
        ...


@dataclass(frozen=True)
class Author:
    """Who makes a change, when, and why."""

    login: str
    comment: str
    at: datetime
    """Domain time."""


@dataclass(frozen=True)
class Standing:
    """How one kind stands at one municipality, for those who decide about it."""

    kind: Kind
    offer: Offer
    since: datetime | None
    """Since when it has been so."""
    ahead: tuple[Change, ...]
    """What is decided for later, the next first."""
    history: tuple[Change, ...]
    """The last made first."""
    seen: int
    """The sequence of the last change; a change says which one its author saw."""
    undo: Wish | None
    """What undoing the last change would do; None when it was loaded or there is none."""


def load_municipalities(connection: Connection) -> int:
    """Write the package's own list of municipalities; return how many. In the caller's unit."""
    rows = own_municipalities()
    store.keep_municipalities(connection, rows)
    return len(rows)


def load_participation(
    connection: Connection, lines: Iterable[str], made_at: datetime | None = None
) -> int:
    """Add the changes of a CSV file that are not there yet; return how many were added.

    Municipalities must have been loaded. In the caller's transaction.

    Raises:
        BadTableError: a row cannot be right.
        UnknownMunicipalityError: a row names a municipality that is not in the table.
    """
    known = {row.code for row in store.municipalities(connection)}
    there = {
        (code, change.kind, change.open, change.effective_from, change.fee)
        for code, changes in store.all_changes(connection).items()
        for change in changes
    }
    added = 0
    for row in read_participation(lines):
        new = row.change
        if row.municipality not in known:
            raise UnknownMunicipalityError(
                f"no municipality has the code {row.municipality}; load municipalities first"
            )
        if (row.municipality, new.kind, new.open, new.effective_from, new.fee) in there:
            continue
        change(
            connection,
            row.municipality,
            new.kind,
            open=new.open,
            effective_from=new.effective_from,
            fee=new.fee,
            actor=new.actor,
            comment=new.comment,
            made_at=made_at,
        )
        added += 1
    return added


def offers(connection: Connection, municipality: str, at: datetime) -> dict[Kind, Offer]:
    """Return what that municipality offers at that moment, for every kind there is."""
    changes = store.changes(connection, municipality)
    return {kind: offer_at((c for c in changes if c.kind is kind), at) for kind in Kind}


def lock(connection: Connection, municipality: str, kind: Kind) -> None:
    """Hold this kind of this municipality until the caller's transaction ends.

    A stop and a release both do, so that one of them is first: commit order decides.
    """
    store.lock_row(connection, municipality, kind)


def change(  # noqa: PLR0913 - each is a column of the change, and all are named
    connection: Connection,
    municipality: str,
    kind: Kind,
    *,
    open: bool,  # noqa: A002 - the field's own word, as in `Change`
    effective_from: datetime,
    fee: int,
    actor: str,
    comment: str,
    made_at: datetime | None,
) -> Change:
    """Append a change under the lock and return it. In the caller's transaction."""
    lock(connection, municipality, kind)
    made = Change(
        kind=kind,
        open=open,
        effective_from=effective_from,
        fee=fee,
        actor=actor,
        comment=comment,
        made_at=made_at,
    )
    sequence = store.add_change(connection, municipality, made)
    return Change(**{**vars(made), "sequence": sequence})


def history(
    connection: Connection, municipality: str, kind: Kind | None = None
) -> tuple[Change, ...]:
    """Return the changes of a municipality, the first made first; of one kind or of all."""
    changes = store.changes(connection, municipality)
    return tuple(row for row in changes if kind is None or row.kind is kind)


def latest_changes(connection: Connection, most: int) -> tuple[tuple[str, Change], ...]:
    """Return what people decided anywhere lately, by municipality's code; the last made first."""
    return store.latest_changes(connection, most)


def standing(connection: Connection, municipality: str, at: datetime) -> tuple[Standing, ...]:
    """Return how every kind stands at that municipality at that moment."""
    changes = store.changes(connection, municipality)
    found = []
    for kind in Kind:
        own = tuple(row for row in changes if row.kind is kind)
        last = own[-1] if own else None
        found.append(
            Standing(
                kind=kind,
                offer=offer_at(own, at),
                since=since(own, at),
                ahead=ahead(own, at),
                history=own[::-1],
                seen=newest(own),
                undo=undo_of(own, at) if last is not None and last.made_at else None,
            )
        )
    return tuple(found)


def participants(connection: Connection, at: datetime) -> dict[Municipality, dict[Kind, Offer]]:
    """Return every municipality that has ever decided anything, with its offers at that moment."""
    changes = store.all_changes(connection)
    return {
        row: {kind: offer_at((c for c in changes[row.code] if c.kind is kind), at) for kind in Kind}
        for row in store.municipalities(connection)
        if row.code in changes
    }


def municipality_name(connection: Connection, code: str) -> str:
    """Return the name with its prefecture, such as 山口県下関市.

    Raises:
        UnknownMunicipalityError: no municipality has this code.
    """
    return find_municipality(connection, code).full_name


def municipality_names(connection: Connection, codes: set[str]) -> dict[str, str]:
    """Return the full names of these municipalities by code, as far as they are known."""
    return {
        row.code: row.full_name
        for code in sorted(codes)
        for row in store.municipalities(connection, code)
    }


def find_municipality(connection: Connection, text: str) -> Municipality:
    """Return the municipality with this code, full name, or name that only one has.

    Raises:
        UnknownMunicipalityError: none has, or several have, and then which.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        found = store.municipalities(connection, text)
    else:
        rows = store.municipalities(connection)
        found = tuple(row for row in rows if text in (row.full_name, row.name)) if text else ()
    if not found:
        raise UnknownMunicipalityError(
            f"no municipality is called {text!r}; write its six-digit code, or its name "
            "such as 下関市 (and load the municipalities first: kofu-backend world load)"
        )
    if len(found) > 1:
        names = ", ".join(f"{row.full_name} {row.code}" for row in found)
        raise UnknownMunicipalityError(f"{text} is the name of several: {names}; write which")
    return found[0]


def switch(
    engine: Engine,
    announcer: Announcer,
    municipality: str,
    kind: Kind,
    wish: Wish,
    author: Author,
    seen: int | None = None,
) -> Change:
    """Make a change that a person asked for, in a transaction of its own, and tell the kiosks.

    Args:
        engine: the centre's database.
        announcer: tells the kiosks, after the change is durable.
        municipality: its code.
        kind: the certificate kind.
        wish: what shall hold, and from when.
        author: who asks for it, and when that is.
        seen: the sequence of the newest change that the person saw (0: none); None: not asked.

    Raises:
        ChangeRefusedError: one of its kinds says why; nothing was changed.
    """
    with transaction(engine) as connection:
        lock(connection, municipality, kind)
        changes = history(connection, municipality, kind)
        _require_unseen_is_none(changes, seen)
        check(changes, wish, author.at)
        made = _make(connection, municipality, kind, wish, author)
    _announce(announcer, municipality, made)
    return made


def undo(
    engine: Engine,
    announcer: Announcer,
    municipality: str,
    kind: Kind,
    author: Author,
    seen: int | None = None,
) -> Change:
    """Take the last change back by a new one, in a transaction of its own, and tell the kiosks.

    Raises:
        ChangedMeanwhileError: the last change is not the one that the person saw.
        NothingToUndoError: there is no change.
    """
    with transaction(engine) as connection:
        lock(connection, municipality, kind)
        changes = history(connection, municipality, kind)
        _require_unseen_is_none(changes, seen)
        wish = undo_of(changes, author.at)
        if wish is None:
            raise NothingToUndoError("there is no change yet; there is nothing to undo")
        made = _make(connection, municipality, kind, wish, author)
    _announce(announcer, municipality, made)
    return made


def check(changes: Iterable[Change], wish: Wish, now: datetime) -> None:
    """Raise the ChangeRefusedError that says why this change cannot be made now, if any."""
    changes = tuple(changes)
    if not 0 <= wish.fee <= MOST_YEN:
        raise FeeOutOfRangeError(f"a fee is 0 to {MOST_YEN} yen, not {wish.fee}; write it again")
    if wish.effective_from < now:
        raise InThePastError(
            f"{wish.effective_from.isoformat()} has passed; choose now or a later moment"
        )
    offer = offer_at(changes, wish.effective_from)
    same_fee = offer.fee == wish.fee
    if offer.open == wish.open and (same_fee or not wish.open):
        raise NothingChangesError(
            "it is so already at that moment; choose another moment or another fee"
        )


def newest(changes: Iterable[Change]) -> int:
    """Return the sequence of the newest change; 0 when there is none."""
    return max((row.sequence for row in changes), default=0)


def _require_unseen_is_none(changes: Iterable[Change], seen: int | None) -> None:
    if seen is not None and newest(changes) != seen:
        raise ChangedMeanwhileError(
            "somebody else made a change in the meantime; look at it and decide again"
        )


def _make(
    connection: Connection, municipality: str, kind: Kind, wish: Wish, author: Author
) -> Change:
    return change(
        connection,
        municipality,
        kind,
        open=wish.open,
        effective_from=wish.effective_from,
        fee=wish.fee,
        actor=author.login,
        comment=author.comment,
        made_at=author.at,
    )


def _announce(announcer: Announcer, municipality: str, made: Change) -> None:
    announcer.announce(
        LineEvent(
            kind=LineEventKind.PARTICIPATION_CHANGED,
            municipality=municipality,
            certificate_kind=made.kind,
            at=made.effective_from,
        )
    )
