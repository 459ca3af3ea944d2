"""Registrations: a card (CA generation, serial), a pseudonym, a municipality, from when to when."""

from sqlalchemy import CheckConstraint, Column, Index, String, Table

from backend.database import Instant, centre_metadata

registration = Table(
    "registration",
    centre_metadata,
    Column("generation", String(20), primary_key=True),
    Column("serial", String(40), primary_key=True, comment="hexadecimal"),
    Column("since", Instant(), primary_key=True),
    Column("until", Instant(), nullable=True, comment="null: still so"),
    Column("pseudonym", String(64), nullable=False),
    Column("municipality", String(6), nullable=False),
    CheckConstraint("until IS NULL OR until >= since", name="term"),
    Index(None, "pseudonym"),
    comment="no name and no address: to the centre a person is a card and a pseudonym",
)


def serial_text(serial: int) -> str:
    """Return a serial as it is kept: lower-case hexadecimal."""
    return f"{serial:x}"
