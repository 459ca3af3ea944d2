"""What every request about an order works with: the desk, the asker, the signed body, the key."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection, Engine

from backend.orders import store
from backend.orders.errors import BadOrderSignatureError, KeyReusedError, UnknownOrderError
from backend.orders.store import Key, Order
from dedicated_line.clock import Clock, Entropy
from dedicated_line.contract.issuing import CardWord, Compose, Composed, Confirm, Confirmed
from dedicated_line.contract.key_list import KeyList
from dedicated_line.contract.keys import (
    BadSignatureError,
    Purpose,
    decode_public_key,
    verify_body,
)
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.orders import IssueStatus, OrderStatus


class Issuer(Protocol):
    """The issuing server, as far as orders need it.

    Both raise IssuerRefusedError or IssuerUnavailableError.
    """

    def compose(self, question: Compose) -> Composed:
        """Compose, sign and seal; the same order gives the same answer."""
        ...

    def confirm(self, question: Confirm) -> Confirmed:
        """Tell whether everything is as it was at sealing."""
        ...


@dataclass(frozen=True)
class Desk:
    """What the services of this subject work with."""

    engine: Engine
    issuer: Issuer
    keys: Callable[[], KeyList]
    """The key list that is trusted now; KeyListMissingError when there is none."""
    clock: Clock
    entropy: Entropy
    print_window: int
    """Seconds in which a page may begin after release."""


@dataclass(frozen=True)
class Asker:
    """Who places an order: a session whose holder has been confirmed."""

    kiosk: str
    session: str
    municipality: str
    fingerprint: str
    card: CardWord
    layouts: Mapping[Kind, str]
    """Digest of the layout of each kind that this kiosk draws and that is approved."""


@dataclass(frozen=True)
class Signed:
    """A request as it came: its idempotency key, its exact bytes, the signature over them."""

    key: str
    body: bytes
    signature: bytes

    def remembered_as(self, kiosk: str) -> str:
        """Return the digest under which the key is kept."""
        return hashlib.sha256(f"{kiosk} {self.key}".encode("ascii")).hexdigest()

    def keyed_digest(self) -> str:
        """Return the body's digest, keyed with what is not kept: the idempotency key itself."""
        return hmac.new(self.key.encode("ascii"), self.body, hashlib.sha256).hexdigest()


def own(connection: Connection, order: str, kiosk: str, *, lock: bool = False) -> Order:
    """Return an order of this kiosk; UnknownOrderError for any other."""
    found = store.find_order(connection, order, lock=lock)
    if found is None or found.kiosk != kiosk:
        raise UnknownOrderError("no order of this kiosk has this id")
    return found


def again(connection: Connection, kiosk: str, request: str, signed: Signed) -> Key | None:
    """Return what the key did before; KeyReusedError when it came with something else."""
    key = store.find_key(connection, signed.remembered_as(kiosk))
    if key is None:
        return None
    same = hmac.compare_digest(key.body, signed.keyed_digest())
    if key.request != request or not same:
        raise KeyReusedError("this key came before with another body; make a new key", key.order)
    return key


def require_signature(
    public_key: bytes, purpose: Purpose, signed: Signed, order: str | None = None
) -> None:
    """Raise BadOrderSignatureError unless the signature fits key, purpose and exact bytes."""
    try:
        verify_body(decode_public_key(public_key), purpose, signed.body, signed.signature)
    except BadSignatureError as error:
        raise BadOrderSignatureError(
            "the signature over this request does not fit; begin a new session", order
        ) from error


def status_of(order: Order) -> OrderStatus:
    """Return states only: what a kiosk may know after a restart."""
    return OrderStatus(
        order=order.id,
        kind=order.kind,
        reason=order.reason,
        issues=tuple(
            IssueStatus(
                number=issue.number,
                state=issue.state,
                number_status=issue.number_status,
                money=issue.money,
                price=issue.price,
            )
            for issue in order.issues
        ),
    )
