"""All tables of each database, once every subject has told its own."""

import importlib
from typing import Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy import MetaData

from backend.database import Instant, centre_metadata, issuer_metadata

_CENTRE = (
    "backend.identity.store",
    "backend.kiosks.store",
    "backend.network.store",
    "backend.orders.store",
    "backend.participation.store",
    "backend.staff.store",
)
_ISSUER = ("backend.issuer.tables",)


def centre_tables() -> MetaData:
    """Return the metadata of the centre's database."""
    for module in _CENTRE:
        importlib.import_module(module)
    return centre_metadata


def issuer_tables() -> MetaData:
    """Return the metadata of the issuing server's database."""
    for module in _ISSUER:
        importlib.import_module(module)
    return issuer_metadata


def render_item(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """Write our own column type into a new revision by its own name."""
    if kind == "type" and isinstance(item, Instant):
        context.imports.add("from backend.database import Instant")
        return "Instant()"
    return False
