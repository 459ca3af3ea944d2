"""Access records: who was looked up, where, when and by what right; kept as long as the ledger."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Column, Connection, String, Table, select
from sqlalchemy.exc import IntegrityError

from backend.database import Instant, centre_metadata
from backend.identity.errors import ChallengeUsedError

access_record = Table(
    "access_record",
    centre_metadata,
    Column("session", String(32), primary_key=True),
    Column("body", String(64), nullable=False, comment="SHA-256 of the holder's message"),
    Column("kiosk", String(7), nullable=False),
    Column("generation", String(20), nullable=False),
    Column("serial", String(40), nullable=False, comment="hexadecimal"),
    Column("purpose", String(40), nullable=False),
    Column("legal_basis", String(80), nullable=False),
    Column("at", Instant(), nullable=False, index=True),
)
"""One row a session: that its challenge is used only once outlives Redis."""


class AccessPurpose(StrEnum):
    """What a look-up is for."""

    ISSUANCE = "issuance"
    """The holder asks at a kiosk for certificates of their own municipality."""


ISSUANCE_BASIS = "公的個人認証法(利用者証明検証)・住民基本台帳法12条"
"""By what law: checking a user certificate's validity, and issuing one's own residence record."""


@dataclass(frozen=True)
class Access:
    """One access: to the centre a person is a CA generation and a serial."""

    session: str
    body_digest: str
    kiosk: str
    generation: str
    serial: int
    at: datetime
    purpose: AccessPurpose = AccessPurpose.ISSUANCE
    legal_basis: str = ISSUANCE_BASIS


def record_access(connection: Connection, access: Access) -> bool:
    """Write the access down in the caller's transaction; True when it is new.

    False when this very body has been recorded for the session before: it is a repetition.
    ChallengeUsedError when another body has: the challenge is used up, for ever.
    """
    try:
        with connection.begin_nested():
            connection.execute(
                access_record.insert().values(
                    session=access.session,
                    body=access.body_digest,
                    kiosk=access.kiosk,
                    generation=access.generation,
                    serial=f"{access.serial:x}",
                    purpose=access.purpose.value,
                    legal_basis=access.legal_basis,
                    at=access.at,
                )
            )
    except IntegrityError as error:
        recorded = connection.execute(
            select(access_record.c.body, access_record.c.kiosk).where(
                access_record.c.session == access.session
            )
        ).one_or_none()
        if recorded is None:
            raise
        if tuple(recorded) != (access.body_digest, access.kiosk):
            raise ChallengeUsedError(
                "this session's challenge has been answered before; begin a new session"
            ) from error
        return False
    return True
