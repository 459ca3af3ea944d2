"""The issuing server's tables. What is personal stands in `sealed` columns, never in clear."""

from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from backend.database import Instant, issuer_metadata

municipality = Table(
    "municipality",
    issuer_metadata,
    Column("code", String(6), primary_key=True),
    Column("prefecture", String(120), nullable=False),
    Column("name", String(120), nullable=False),
    Column("mayor_title", String(120), nullable=False),
    Column("mayor_name", String(120), nullable=False),
    Column("register_as_of", Instant, nullable=False),
    Column("stale_after_seconds", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("data_key", LargeBinary, nullable=False),
    comment="Whose residents are hosted here; data_key is wrapped by the master key",
)
"""`revision` grows with every load that changes something; records carry it as their version."""

household = Table(
    "household",
    issuer_metadata,
    Column("municipality", ForeignKey(municipality.c.code), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

resident = Table(
    "resident",
    issuer_metadata,
    Column("municipality", String(6), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("household", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    ForeignKeyConstraint(["municipality", "household"], [household.c.municipality, household.c.id]),
    Index(None, "municipality", "household"),
)

card_link = Table(
    "card_link",
    issuer_metadata,
    Column("municipality", ForeignKey(municipality.c.code), primary_key=True),
    Column("generation", String(32), primary_key=True),
    Column("serial", String(50), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    comment="Which resident a user certificate belongs to; the resident is sealed",
)

composition = Table(
    "composition",
    issuer_metadata,
    Column("order_id", String(32), primary_key=True),
    Column("municipality", ForeignKey(municipality.c.code), nullable=False),
    Column("body_digest", String(64), nullable=False),
    Column("household", String(64), nullable=False),
    Column("household_version", Integer, nullable=False),
    Column("persons", Text, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=True),
    Column("sealed_at", Instant, nullable=False),
    Column("kept_until", Instant, nullable=False, index=True),
    comment="One order, sealed once; body_digest is keyed, ciphertext goes after kept_until",
)
"""`persons` are resident ids as JSON; `sealed_at` is domain time, `kept_until` real time."""

issue = Table(
    "issue",
    issuer_metadata,
    Column("number", String(24), primary_key=True),
    Column("order_id", ForeignKey(composition.c.order_id), nullable=False),
    Column("copy", Integer, nullable=False),
    UniqueConstraint("order_id", "copy"),
    comment="Every issue number ever given",
)

refusal = Table(
    "refusal",
    issuer_metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("municipality", ForeignKey(municipality.c.code), nullable=False),
    Column("order_id", String(32), nullable=True, unique=True),
    Column("body_digest", String(64), nullable=True),
    Column("public", String(40), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    comment="Why somebody was refused, for the municipality's eyes only: the reason is sealed",
)
