"""Request 4: release a sealed order. It owns its transaction."""

from datetime import timedelta
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from backend.database import transaction
from backend.orders import model, store
from backend.orders.desk import Desk, Signed, again, own, require_signature
from backend.orders.errors import (
    IssuerRefusedError,
    IssuerUnavailableError,
    OrderRefusedError,
    WindowClosedError,
    WrongAmountError,
    WrongStateError,
)
from backend.orders.store import Key, Order
from backend.participation import service as participation
from dedicated_line.contract.issuing import Confirm
from dedicated_line.contract.keys import Purpose
from dedicated_line.contract.orders import Release, Released
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.states import IssueState

_RELEASE: Final = "release"


def release(desk: Desk, kiosk: str, wish: Release, signed: Signed) -> Released:
    """Release a sealed order in one transaction, under the lock that a stop takes too.

    Whoever commits first is first: an order released before a stop may be printed, one after it
    is abandoned. Whatever cannot be confirmed now abandons as well.

    Raises:
        UnknownOrderError, BadOrderSignatureError, KeyReusedError, WrongStateError,
        WrongAmountError: nothing was done.
        OrderRefusedError: something changed; the order is `abandoned`, the money goes back.
        WindowClosedError: released before, and its print window has ended.
    """
    try:
        order, refusal = _release(desk, kiosk, wish, signed)
    except IntegrityError:
        order, refusal = _release(desk, kiosk, wish, signed)
    if refusal is not None:
        raise OrderRefusedError(refusal, order.id)
    deadline = order.print_deadline
    if order.ciphertext is None or deadline is None or desk.clock.real_now() > deadline:
        state = model.order_state(order.issues).value
        raise WindowClosedError(f"the print window has ended; the order is {state}", order.id)
    return Released(
        order=order.id,
        ciphertext=order.ciphertext,
        fence=order.fence,
        print_window=desk.print_window,
    )


def _release(desk: Desk, kiosk: str, wish: Release, signed: Signed) -> tuple[Order, Refusal | None]:
    with transaction(desk.engine) as connection:
        order = own(connection, wish.order, kiosk)
        require_signature(order.signing_key, Purpose.RELEASE, signed, order.id)
        before = again(connection, kiosk, _RELEASE, signed)
        if before is None:
            participation.lock(connection, order.municipality, order.kind)
            order = own(connection, wish.order, kiosk, lock=True)
            before = again(connection, kiosk, _RELEASE, signed)  # while we waited for the lock
        if before is not None:
            order = own(connection, wish.order, kiosk)  # as it is since the key was kept
            return order, Refusal(before.refusal) if before.refusal else None
        if model.order_state(order.issues) is not IssueState.SEALED:
            raise WrongStateError(
                f"the order is {model.order_state(order.issues).value}, not sealed", order.id
            )
        if wish.money.amount != sum(issue.price for issue in order.issues):
            raise WrongAmountError("the money taken is not the order's fee; give it back", order.id)
        refusal = _why_not(desk, connection, order)
        now = desk.clock.real_now()
        if refusal is None:
            store.keep_issues(
                connection,
                order.id,
                model.released(order.issues),
                fence=order.fence + 1,
                print_deadline=now + timedelta(seconds=desk.print_window),
                taken=wish.money.amount,
                receipt=wish.money.receipt,
                updated_at=now,
            )
        else:
            store.keep_issues(
                connection,
                order.id,
                model.abandoned(order.issues),
                ciphertext=None,
                reason=refusal.value,
                receipt=wish.money.receipt,
                updated_at=now,
            )
        kept = Key(_RELEASE, order.id, signed.keyed_digest(), refusal.value if refusal else None)
        store.keep_key(connection, signed.remembered_as(kiosk), kept, now)
        return own(connection, order.id, kiosk), refusal


def _why_not(desk: Desk, connection: Connection, order: Order) -> Refusal | None:
    """Return why an order may not be released now; None when all is as it was."""
    offers = participation.offers(connection, order.municipality, desk.clock.now())
    closed = offers[order.kind].reason
    if closed is not None:
        return closed
    try:
        confirmed = desk.issuer.confirm(Confirm(order=order.id, municipality=order.municipality))
    except IssuerRefusedError as error:
        known = error.refusal in model.RELEASE_REFUSALS
        return error.refusal if known else Refusal.COUNTER
    except IssuerUnavailableError:
        return Refusal.UNAVAILABLE
    same = confirmed.unchanged and confirmed.record_version == order.record_version
    return None if same else Refusal.CHANGED
