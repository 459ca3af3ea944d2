"""Request 5: an outcome closes the books. It owns its transaction; it needs no live session."""

from typing import Final

from backend.database import transaction
from backend.kiosks.service import Kiosk
from backend.orders import model, store
from backend.orders.desk import Desk, Signed, again, own, require_signature, status_of
from backend.orders.model import OPEN, Finding
from backend.orders.store import Key
from dedicated_line.contract import canonical
from dedicated_line.contract.keys import Purpose
from dedicated_line.contract.orders import OrderStatus, Outcome

_OUTCOME: Final = "outcome"


def settle(desk: Desk, kiosk: Kiosk, outcome: Outcome, signed: Signed) -> OrderStatus:
    """Settle an order by what its kiosk says became of it, and answer with the states.

    The same outcome may come as often as it likes. Every one is kept as evidence; one that
    contradicts what stands changes nothing and raises an integrity alarm.

    Args:
        desk: what services work with.
        kiosk: who says it; its device key has signed the body.
        outcome: what became of the issues and of the money.
        signed: the exact bytes; the idempotency key is empty when none was sent.

    Raises:
        UnknownOrderError, BadOrderSignatureError, KeyReusedError: nothing was done.
    """
    require_signature(kiosk.device_key, Purpose.OUTCOME, signed, outcome.order)
    digest = canonical.digest(signed.body)
    with transaction(desk.engine) as connection:
        order = own(connection, outcome.order, kiosk.id, lock=True)
        before = again(connection, kiosk.id, _OUTCOME, signed) if signed.key else None
        if before is not None or store.outcome_known(connection, order.id, digest):
            return status_of(order)
        now = desk.clock.real_now()
        settled = model.settle(order.issues, outcome)
        ended = model.order_state(settled.issues) not in OPEN
        contradicts = Finding.CONTRADICTION in settled.findings
        money = (
            {}
            if contradicts and settled.issues == order.issues
            else {
                "taken": outcome.money.taken,
                "returned": outcome.money.returned,
                "owed": outcome.money.owed,
            }
        )
        store.keep_issues(
            connection,
            order.id,
            settled.issues,
            ciphertext=None if ended else order.ciphertext,
            reason=settled.reason or order.reason,
            updated_at=now,
            **money,
        )
        store.keep_outcome(
            connection,
            order=order.id,
            body_digest=digest,
            body=signed.body,
            signature=signed.signature,
            findings=" ".join(finding.value for finding in settled.findings),
            at=now,
        )
        for finding in settled.findings:
            store.raise_alarm(connection, now, finding, f"outcome {digest[:16]}", order)
        if signed.key:
            kept = Key(_OUTCOME, order.id, signed.keyed_digest(), None)
            store.keep_key(connection, signed.remembered_as(kiosk.id), kept, now)
        return status_of(own(connection, order.id, kiosk.id))
