"""Request 3: place an order. It owns its transactions.

Intent before act: `intended` is committed before the issuing server is asked. A key that comes
again finds what it did before: same body, same effect, same answer.
"""

from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from backend.database import transaction
from backend.identity.store import access_record
from backend.orders import model, store
from backend.orders.clerk import Asked, HeaderRefusedError, check_header
from backend.orders.desk import Asker, Desk, Signed, again, own, require_signature
from backend.orders.errors import (
    BadOrderSignatureError,
    CannotReplaceError,
    ClerkSaysNoError,
    IssuerRefusedError,
    IssuerUnavailableError,
    KeyListMissingError,
    OrderRefusedError,
    TooManyOrdersError,
    WrongStateError,
)
from backend.orders.model import Finding, Reason
from backend.orders.store import Key, Order
from backend.participation import service as participation
from dedicated_line.contract.envelope import EnvelopeHeader
from dedicated_line.contract.issuing import Compose, Composed
from dedicated_line.contract.keys import Purpose
from dedicated_line.contract.orders import MAX_ORDERS_PER_SESSION, OrderSealed, PlaceOrder
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.states import IssueState

ORDER_BYTES: Final = 16
_PLACE: Final = "place"


def place_order(desk: Desk, asker: Asker, wish: PlaceOrder, signed: Signed) -> OrderSealed:
    """Take an order and have it sealed; `intended` is durable before the issuing server is asked.

    Raises:
        BadOrderSignatureError, KeyReusedError, TooManyOrdersError, WrongStateError,
        CannotReplaceError: nothing was done.
        OrderRefusedError: a rule said no, the order is `refused`.
        ClerkSaysNoError: the sealed header differs from what was asked for.
    """
    require_signature(asker.card.holder.signing_key, Purpose.ORDER, signed)
    if wish.session != asker.session:
        raise BadOrderSignatureError("the order names another session; begin a new session")
    try:
        order = _intend(desk, asker, wish, signed)
    except IntegrityError:
        # The same key arrived at the same time: its row is there now.
        order = _intend(desk, asker, wish, signed)
    if order.header is None and model.order_state(order.issues) is IssueState.INTENDED:
        order = _seal(desk, asker, wish, signed, order)
    return _placed(order)


def _intend(desk: Desk, asker: Asker, wish: PlaceOrder, signed: Signed) -> Order:
    """Commit the intent, or the refusal by participation; or find what the key did before."""
    with transaction(desk.engine) as connection:
        before = again(connection, asker.kiosk, _PLACE, signed)
        if before is None:
            participation.lock(connection, asker.municipality, wish.kind)
            before = again(connection, asker.kiosk, _PLACE, signed)  # while we waited
        if before is not None:
            return own(connection, before.order, asker.kiosk)
        _require_room(connection, asker.session)
        if wish.replaces is not None:
            _require_replaceable(connection, asker, wish, wish.replaces)
        offer = participation.offers(connection, asker.municipality, desk.clock.now())[wish.kind]
        outdated = asker.layouts.get(wish.kind) != wish.layout
        refusal = Refusal.KIOSK_OUTDATED if outdated else offer.reason
        now = desk.clock.real_now()
        issues = model.intended(wish.copies, offer.fee)
        order = Order(
            id=desk.entropy.token(ORDER_BYTES).hex(),
            session=asker.session,
            kiosk=asker.kiosk,
            municipality=asker.municipality,
            kind=wish.kind,
            copies=wish.copies,
            members=len(wish.members),
            fee=offer.fee,
            signing_key=asker.card.holder.signing_key,
            replaces=wish.replaces,
            header=None,
            record_version=None,
            ciphertext=None,
            fence=0,
            print_deadline=None,
            reason=refusal.value if refusal else None,
            taken=0,
            returned=0,
            owed=0,
            receipt=None,
            created_at=now,
            updated_at=now,
            issues=model.refused(issues) if refusal else issues,
        )
        store.add_order(connection, order)
        kept = Key(_PLACE, order.id, signed.keyed_digest(), None)
        store.keep_key(connection, signed.remembered_as(asker.kiosk), kept, now)
        return order


def _seal(desk: Desk, asker: Asker, wish: PlaceOrder, signed: Signed, order: Order) -> Order:
    """Ask the issuing server, check its header, and commit what came of it."""
    question = Compose(
        order=order.id, card=asker.card, order_body=signed.body, order_signature=signed.signature
    )
    asked = Asked(
        order=order.id,
        session=asker.session,
        kiosk=asker.kiosk,
        municipality=asker.municipality,
        kind=wish.kind,
        options=wish.options,
        members=len(wish.members),
        copies=wish.copies,
        layout=wish.layout,
        fingerprint=asker.fingerprint,
    )
    try:
        composed = desk.issuer.compose(question)
        header = _checked(desk, composed, asked)
    except IssuerRefusedError as error:
        return _end(desk, order, error.refusal.value)
    except (IssuerUnavailableError, KeyListMissingError):
        return _end(desk, order, Refusal.UNAVAILABLE.value)
    except HeaderRefusedError as error:
        return _end(desk, order, Reason.INTEGRITY.value, str(error))
    try:
        return _keep_sealed(desk, order, composed, header)
    except IntegrityError:
        finding = "an issue number that was given before"
        return _end(desk, order, Reason.INTEGRITY.value, finding, Finding.NUMBER_TWICE)


def _checked(desk: Desk, composed: Composed, asked: Asked) -> EnvelopeHeader:
    if composed.order != asked.order:
        raise HeaderRefusedError("order")
    return check_header(composed.header, desk.keys(), asked, desk.clock.now())


def _keep_sealed(desk: Desk, order: Order, composed: Composed, header: EnvelopeHeader) -> Order:
    with transaction(desk.engine) as connection:
        found = own(connection, order.id, order.kiosk, lock=True)
        if model.order_state(found.issues) is not IssueState.INTENDED:
            return found  # somebody else, with the same key, was first; or it was given up
        store.keep_issues(
            connection,
            order.id,
            model.sealed(found.issues, header.issues),
            header=composed.header,
            ciphertext=composed.ciphertext,
            record_version=header.record_version,
            updated_at=desk.clock.real_now(),
        )
        return own(connection, order.id, order.kiosk)


def _end(
    desk: Desk,
    order: Order,
    reason: str,
    alarm: str | None = None,
    finding: Finding = Finding.CLERK_AT_CENTRE,
) -> Order:
    with transaction(desk.engine) as connection:
        found = own(connection, order.id, order.kiosk, lock=True)
        if alarm is not None:
            store.raise_alarm(connection, desk.clock.real_now(), finding, alarm, found)
        if model.order_state(found.issues) is not IssueState.INTENDED:
            return found
        store.keep_issues(
            connection,
            order.id,
            model.refused(found.issues),
            reason=reason,
            updated_at=desk.clock.real_now(),
        )
        return own(connection, order.id, order.kiosk)


def _placed(order: Order) -> OrderSealed:
    """Return the answer to request 3, made from the ledger, so that it is always the same."""
    if order.header is not None:
        return OrderSealed(order=order.id, fee=order.fee * order.copies, header=order.header)
    if order.reason == Reason.INTEGRITY:
        raise ClerkSaysNoError(
            "the certificate did not pass the check; nothing is charged, the operators know",
            order.id,
        )
    if order.reason in {refusal.value for refusal in Refusal}:
        raise OrderRefusedError(Refusal(order.reason), order.id)
    raise WrongStateError("the order was given up before it was ready; order again", order.id)


def _require_room(connection: Connection, session: str) -> None:
    """Hold the session's row; at most five orders, at most one of them open."""
    held = select(access_record.c.session).where(access_record.c.session == session)
    if connection.execute(held.with_for_update()).first() is None:
        raise WrongStateError("the session's holder is not known; begin a new session")
    before = store.session_orders(connection, session)
    if len(before) >= MAX_ORDERS_PER_SESSION:
        raise TooManyOrdersError(
            f"a session has at most {MAX_ORDERS_PER_SESSION} orders; begin a new session"
        )
    for order in before:
        if model.order_state(order.issues) in model.OPEN:
            raise WrongStateError(
                "another order of this session is still open; finish or cancel it first", order.id
            )


def _require_replaceable(
    connection: Connection, asker: Asker, wish: PlaceOrder, number: str
) -> None:
    """Let a spoiled issue of this very session be reprinted, once, as what it was."""
    before = store.order_of_number(connection, number)
    order = None if before is None else store.find_order(connection, before)
    if order is None or (order.session, order.kiosk) != (asker.session, asker.kiosk):
        raise CannotReplaceError("only an issue of this session can be reprinted")
    issue = next(issue for issue in order.issues if issue.number == number)
    if issue.state is not IssueState.SPOILED:
        raise CannotReplaceError("only a spoiled issue can be reprinted", order.id)
    if (wish.kind, wish.copies, len(wish.members)) != (order.kind, 1, order.members):
        raise CannotReplaceError("a reprint is one copy of the same certificate", order.id)
    if any(other.replaces == number for other in store.session_orders(connection, asker.session)):
        raise CannotReplaceError("an issue is reprinted only once", order.id)
