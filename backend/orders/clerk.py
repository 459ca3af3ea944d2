"""The clerk's check 1: does the sealed header equal what was asked for? Before it is accepted.

It shares no code with sealing: header and key list are read here from their bytes, and every
value is compared with what the centre itself knows of the order.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from dedicated_line.contract import CONTRACT_VERSION, canonical, cose
from dedicated_line.contract.envelope import EnvelopeHeader
from dedicated_line.contract.key_list import KeyList, KeyUse, UntrustedKeyError, trusted_key
from dedicated_line.contract.keys import BadSignatureError, Purpose
from dedicated_line.contract.kinds import Kind, Options
from dedicated_line.contract.numbers import check_issue_number

SKEW: Final = timedelta(seconds=60)
"""How far the issuing server's clock may be from ours (design: flow.md section 2)."""
SEALED_WITHIN: Final = timedelta(minutes=5)
"""A header sealed longer ago was not sealed for this order."""
OLDEST_REGISTER: Final = timedelta(days=7)
"""No municipality may issue from a copy older than this, however it has set its own limit."""
_TOKYO: Final = ZoneInfo("Asia/Tokyo")


class HeaderRefusedError(Exception):
    """The header does not say what it must; `points` names where, and no value."""

    def __init__(self, *points: str) -> None:
        """Take the names of the fields that differ."""
        super().__init__(", ".join(points))
        self.points = points


@dataclass(frozen=True)
class Asked:
    """What the centre knows of the order, by itself."""

    order: str
    session: str
    kiosk: str
    municipality: str
    kind: Kind
    options: Options
    members: int
    copies: int
    layout: str
    fingerprint: str
    """Of this session's holder."""


def check_header(
    sealed: bytes,
    keys: KeyList,
    asked: Asked,
    now: datetime,
    oldest_register: timedelta = OLDEST_REGISTER,
) -> EnvelopeHeader:
    """Return the header once every field is as asked for; else HeaderRefusedError.

    Args:
        sealed: COSE_Sign1 over the header, as the issuing server sent it.
        keys: the key list, verified under the pinned root.
        asked: the order.
        now: domain time.
        oldest_register: how old the register's copy may be.
    """
    try:
        signed = cose.read(sealed)
        key = trusted_key(keys, signed.key_id, KeyUse.ENVELOPE, asked.municipality, now)
        payload = cose.verify(signed, key, Purpose.ENVELOPE)
        header = canonical.decode_message(EnvelopeHeader, payload)
    except UntrustedKeyError as error:
        raise HeaderRefusedError("key") from error
    except BadSignatureError as error:
        raise HeaderRefusedError("signature") from error
    except ValueError as error:
        raise HeaderRefusedError("form") from error
    points = [*_differences(header, asked), *_untimely(header, now, oldest_register)]
    if points:
        raise HeaderRefusedError(*points)
    return header


def _differences(header: EnvelopeHeader, asked: Asked) -> list[str]:
    pairs = {
        "contract": (header.contract, CONTRACT_VERSION),
        "order": (header.order, asked.order),
        "session": (header.session, asked.session),
        "kiosk": (header.kiosk, asked.kiosk),
        "municipality": (header.municipality, asked.municipality),
        "kind": (header.kind, asked.kind),
        "options": (header.options, asked.options),
        "members": (header.members, asked.members),
        "copies": (header.copies, asked.copies),
        "layout": (header.layout, asked.layout),
        "holder": (header.holder, asked.fingerprint),
        "issues": (len(set(header.issues)), asked.copies),
    }
    points = [name for name, (said, known) in pairs.items() if said != known]
    if len(header.issues) != asked.copies or not all(
        number.startswith(asked.municipality + "-") and check_issue_number(number) == number
        for number in header.issues
    ):
        points.append("numbers")
    return points


def _untimely(header: EnvelopeHeader, now: datetime, oldest_register: timedelta) -> list[str]:
    points = []
    if not now - oldest_register <= header.register_as_of <= now + SKEW:
        points.append("register_as_of")
    if not now - SEALED_WITHIN <= header.sealed_at <= now + SKEW:
        points.append("sealed_at")
    if header.attested_on != header.sealed_at.astimezone(_TOKYO).date():
        points.append("attested_on")
    return points
