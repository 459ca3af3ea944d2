"""Recovery: nothing rests. What stopped moving is moved on, and shown. It owns its transactions."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, or_, select, update

from backend.database import transaction
from backend.orders import model, store
from backend.orders.model import Finding, Reason
from backend.orders.store import Order
from dedicated_line.contract.states import IssueState

WINDOW_MARGIN: Final = timedelta(seconds=120)
"""After the print window: the last page that began in it, and the outcome's way to the centre."""
MOST_AT_ONCE: Final = 20
"""More at once do not stop by themselves: a clock has jumped, or a part is down."""
_WAITING: Final = (IssueState.INTENDED, IssueState.SEALED)


@dataclass(frozen=True)
class Limits:
    """After how long an order counts as stopped."""

    order_timeout: timedelta
    """Before release, without a move."""
    window_margin: timedelta = WINDOW_MARGIN
    most_at_once: int = MOST_AT_ONCE


@dataclass(frozen=True)
class Recovered:
    """What one round did."""

    abandoned: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    halted: int = 0
    """How many it would have ended, had that not been too many; nothing was done then."""

    @property
    def quiet(self) -> bool:
        """Tell whether there was nothing to do."""
        return not (self.abandoned or self.unknown or self.halted)


def recover(engine: Engine, now: datetime, limits: Limits) -> Recovered:
    """End what stopped moving, each order in a transaction of its own; halt when it is too much.

    Args:
        engine: the centre's database.
        now: real time.
        limits: after how long, and how many at once.
    """
    with transaction(engine) as connection:
        table = store.order_table
        connection.execute(
            update(table)
            .where(table.c.print_deadline < now, table.c.ciphertext.is_not(None))
            .values(ciphertext=None)
        )
        stopped = _stopped(connection, now, limits)
        if len(stopped) > limits.most_at_once:
            if not store.has_open_alarm(connection, Finding.RECOVERY_HALTED):
                store.raise_alarm(
                    connection,
                    now,
                    Finding.RECOVERY_HALTED,
                    f"{len(stopped)} orders would end at once; check the clocks, then run "
                    "kofu-backend recover --most with a larger number",
                )
            return Recovered(halted=len(stopped))
    abandoned, unknown = [], []
    for order in stopped:
        match _move(engine, order, now, limits):
            case IssueState.ABANDONED:
                abandoned.append(order)
            case IssueState.UNKNOWN:
                unknown.append(order)
    return Recovered(tuple(abandoned), tuple(unknown))


def _stopped(connection: Connection, now: datetime, limits: Limits) -> list[str]:
    orders, issues = store.order_table.c, store.issue_table.c
    query = (
        select(orders.id)
        .join(store.issue_table, issues.order == orders.id)
        .where(
            or_(
                issues.state.in_([state.value for state in _WAITING])
                & (orders.updated_at < now - limits.order_timeout),
                (issues.state == IssueState.RELEASED.value)
                & (orders.print_deadline < now - limits.window_margin),
            )
        )
        .distinct()
    )
    return sorted(connection.execute(query).scalars())


def _move(engine: Engine, order: str, now: datetime, limits: Limits) -> IssueState | None:
    """Move one order on, if it has not moved meanwhile; return where to."""
    with transaction(engine) as connection:
        found = store.find_order(connection, order, lock=True)
        if found is None:
            return None
        if _waits(found) and found.updated_at < now - limits.order_timeout:
            store.keep_issues(
                connection,
                order,
                model.abandoned(found.issues),
                ciphertext=None,
                reason=Reason.TIMED_OUT.value,
                updated_at=now,
            )
            return IssueState.ABANDONED
        deadline = found.print_deadline
        released = any(issue.state is IssueState.RELEASED for issue in found.issues)
        if released and deadline is not None and deadline < now - limits.window_margin:
            store.keep_issues(
                connection,
                order,
                model.not_reported(found.issues),
                ciphertext=None,
                reason=Reason.NOT_REPORTED.value,
                updated_at=now,
            )
            return IssueState.UNKNOWN
        return None


def _waits(order: Order) -> bool:
    return model.order_state(order.issues) in _WAITING
