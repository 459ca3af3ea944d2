"""Names of household members within one session: they cannot be guessed and need no memory."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from backend.issuer.register.model import Household, Resident

HANDLE_BYTES: Final = 8
_HANDLE: Final = b"kofu/handle/v1"
_BODY: Final = b"kofu/order-digest/v1"


def _keyed(secret: bytes, purpose: bytes, *parts: bytes) -> bytes:
    whole = hmac.new(secret, purpose, hashlib.sha256)
    for part in parts:
        whole.update(len(part).to_bytes(8, "big") + part)
    return whole.digest()


def member_handle(secret: bytes, session: str, member: Resident) -> str:
    """Return a member's handle in a session: `HANDLE_BYTES` bytes in hexadecimal."""
    parts = (session.encode(), member.municipality.encode(), member.id.encode())
    return _keyed(secret, _HANDLE, *parts)[:HANDLE_BYTES].hex()


def members_of(
    secret: bytes, session: str, household: Household, handles: Sequence[str]
) -> tuple[Resident, ...] | None:
    """Return the members that handles name, in the household's order.

    None when a handle is not of this session and household, or comes twice.
    """
    members = {member_handle(secret, session, member): member for member in household.members}
    if len(set(handles)) != len(handles) or not set(handles) <= members.keys():
        return None
    return tuple(member for handle, member in members.items() if handle in handles)


def order_digest(secret: bytes, *parts: bytes) -> str:
    """Return the keyed digest by which a repeated order is recognised, in hexadecimal."""
    return _keyed(secret, _BODY, *parts).hex()
