"""How compositions, issue numbers and refusals are kept."""

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, update

from backend.issuer import tables
from backend.issuer.kinds.model import Refused, public
from backend.issuer.register.vault import DataKey
from dedicated_line.contract.refusals import Refusal


@dataclass(frozen=True)
class Composition:
    """One order, sealed."""

    order: str
    municipality: str
    body_digest: str
    household: str
    household_version: int
    persons: tuple[str, ...]
    """Resident ids of those on the paper."""
    header: bytes
    ciphertext: bytes | None
    """None once it is deleted."""
    sealed_at: datetime
    kept_until: datetime
    """Real time."""


def save_composition(
    connection: Connection, composition: Composition, numbers: tuple[str, ...]
) -> None:
    """Keep a composition with its numbers; IntegrityError when order or a number is taken."""
    connection.execute(
        tables.composition.insert().values(
            order_id=composition.order,
            municipality=composition.municipality,
            body_digest=composition.body_digest,
            household=composition.household,
            household_version=composition.household_version,
            persons=json.dumps(composition.persons),
            header=composition.header,
            ciphertext=composition.ciphertext,
            sealed_at=composition.sealed_at,
            kept_until=composition.kept_until,
        )
    )
    connection.execute(
        tables.issue.insert(),
        [
            {"number": number, "order_id": composition.order, "copy": copy}
            for copy, number in enumerate(numbers, start=1)
        ],
    )


def find_composition(connection: Connection, order: str) -> Composition | None:
    """Return what was sealed for an order."""
    row = connection.execute(
        select(tables.composition).where(tables.composition.c.order_id == order)
    ).one_or_none()
    if row is None:
        return None
    return Composition(
        order=row.order_id,
        municipality=row.municipality,
        body_digest=row.body_digest,
        household=row.household,
        household_version=row.household_version,
        persons=tuple(json.loads(row.persons)),
        header=row.header,
        ciphertext=row.ciphertext,
        sealed_at=row.sealed_at,
        kept_until=row.kept_until,
    )


def forget_ciphertexts(connection: Connection, real_now: datetime) -> None:
    """Delete the ciphertexts whose time has passed; header and numbers stay for ever."""
    table = tables.composition
    connection.execute(
        update(table)
        .where(table.c.kept_until < real_now, table.c.ciphertext.is_not(None))
        .values(ciphertext=None)
    )


@dataclass(frozen=True)
class OrderRefusal:
    """The refusal of an order, as far as it may leave the municipality."""

    body_digest: str
    refusal: Refusal


def save_refusal(
    connection: Connection,
    key: DataKey,
    refused: Refused,
    at: datetime,
    order: tuple[str, str] | None = None,
) -> None:
    """Keep why somebody was refused, sealed; `order` (id, body digest) makes it final for that."""
    order_id, body_digest = order or (None, None)
    plain = json.dumps({"reason": refused.reason.value, "resident": refused.resident}).encode()
    connection.execute(
        tables.refusal.insert().values(
            at=at,
            municipality=key.municipality,
            order_id=order_id,
            body_digest=body_digest,
            public=public(refused.reason).value,
            sealed=key.seal("refusal", (order_id or "",), 0, plain),
        )
    )


def find_refusal(connection: Connection, order: str) -> OrderRefusal | None:
    """Return how an order was refused."""
    table = tables.refusal
    row = connection.execute(
        select(table.c.body_digest, table.c.public).where(table.c.order_id == order)
    ).one_or_none()
    return None if row is None else OrderRefusal(row.body_digest, Refusal(row.public))
