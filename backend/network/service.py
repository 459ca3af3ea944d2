"""What can be asked of the network: who keeps the register of this card's holder, at an instant.

Each look-up is written down by the caller, before it asks, with its legal basis:
`backend.identity.store.record_access`.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, insert, or_, select, update

from backend.network.store import registration, serial_text


@dataclass(frozen=True)
class Registration:
    """One person's stay in one municipality's register, by their card."""

    pseudonym: str
    municipality: str
    since: datetime
    until: datetime | None


def which_municipality(
    connection: Connection, generation: str, serial: int, at: datetime
) -> Registration | None:
    """Return the registration that holds at an instant; None when nobody lists this card.

    Args:
        connection: the caller's transaction.
        generation: CA generation of the user certificate.
        serial: its serial number.
        at: domain time.
    """
    table = registration.c
    row = connection.execute(
        select(table.pseudonym, table.municipality, table.since, table.until)
        .where(
            table.generation == generation,
            table.serial == serial_text(serial),
            table.since <= at,
            or_(table.until.is_(None), table.until > at),
        )
        .order_by(table.since.desc())
        .limit(1)
    ).first()
    return None if row is None else Registration(*row)


def register_card(
    connection: Connection,
    *,
    generation: str,
    serial: int,
    pseudonym: str,
    municipality: str,
    since: datetime,
    until: datetime | None = None,
) -> bool:
    """List a card from an instant on, in the caller's transaction; True when that is new.

    What was listed for the card before and is open at `since` ends there: a move. Listing the
    same again writes its values anew and changes nothing else.
    """
    table = registration.c
    card = and_(table.generation == generation, table.serial == serial_text(serial))
    values = {"pseudonym": pseudonym, "municipality": municipality, "until": until}
    rewritten = connection.execute(
        update(registration).where(card, table.since == since).values(values)
    )
    if rewritten.rowcount:
        return False
    connection.execute(
        update(registration)
        .where(card, table.since < since, or_(table.until.is_(None), table.until > since))
        .values(until=since)
    )
    connection.execute(
        insert(registration).values(
            generation=generation, serial=serial_text(serial), since=since, **values
        )
    )
    return True
