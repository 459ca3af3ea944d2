"""The table of kiosks."""

from sqlalchemy import Boolean, Column, LargeBinary, String, Table, Text

from backend.database import centre_metadata

kiosk_table = Table(
    "kiosk",
    centre_metadata,
    Column("id", String(7), primary_key=True),
    Column("circuit", String(15), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("device_key", LargeBinary, nullable=False, comment="P-256 point, 65 bytes"),
    Column("in_service", Boolean, nullable=False),
)
