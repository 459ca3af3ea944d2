"""Unfinished business: settled before the first resident, and again while nobody is there."""

from dataclasses import dataclass, replace
from typing import Protocol

from dedicated_line.contract.orders import OrderStatus
from dedicated_line.errors import KofuError
from dedicated_line.kiosk_end.client import LineLostError
from kiosk.centre.errors import CentreError, NotUnderstoodError
from kiosk.coins.unit import CoinUnit, Returned
from kiosk.journal.model import OrderEntry, after_restart, earned, outcome_of
from kiosk.journal.store import Journal

SECONDS_EACH = 8.0
"""For one outcome; what cannot be told now is told later."""


class Outcomes(Protocol):
    """The centre, as far as outcomes go."""

    def send_outcome(self, order: str, body: bytes, key: str, seconds: float = 20.0) -> OrderStatus:
        """Tell how an order ended."""
        ...

    def new_key(self) -> str:
        """Return a new idempotency key."""
        ...


@dataclass(frozen=True)
class Settled:
    """What came of it."""

    told: tuple[str, ...] = ()
    """Orders whose outcome the centre has acknowledged now."""
    waiting: tuple[str, ...] = ()
    """Orders whose outcome it has not heard yet."""
    given_back: int = 0
    """Yen from escrow."""


def settle_unfinished(journal: Journal, coins: CoinUnit, centre: Outcomes) -> Settled:
    """Close every order that the journal shows open; the coin unit outranks the journal.

    Never sent to the printer: nothing was printed. Possibly begun: unknown. Call it only when no
    journey is going on. A line that is down leaves the rest waiting.
    """
    told: list[str] = []
    waiting: list[str] = []
    given_back = 0
    reachable = True
    for entry in journal.unfinished():
        decided = entry
        if entry.outcome is None:
            decided, back = _decide(journal, coins, centre, entry)
            given_back += back
        if reachable and decided.outcome is not None and decided.outcome_key is not None:
            try:
                centre.send_outcome(
                    decided.order, decided.outcome, decided.outcome_key, SECONDS_EACH
                )
            except LineLostError:
                reachable = False
            except (CentreError, NotUnderstoodError):
                pass  # said no: stays in the journal, where the attendant sees it
            else:
                journal.acknowledged(decided.order)
                told.append(decided.order)
                continue
        waiting.append(decided.order)
    if coins.escrow():
        given_back += coins.return_all().returned
    return Settled(tuple(told), tuple(waiting), given_back)


def _decide(
    journal: Journal, coins: CoinUnit, centre: Outcomes, entry: OrderEntry
) -> tuple[OrderEntry, int]:
    """Write what is known to the journal, money first; return the entry with its outcome."""
    issues = tuple(after_restart(issue) for issue in entry.issues) if entry.released else ()
    for issue in issues:
        if issue.result is not None:
            journal.printed(issue.number, issue.result, issue.proof, issue.evidence)
    decided = replace(entry, issues=issues or entry.issues)
    back = 0
    if not decided.settled:
        kept, returned = _settle(coins, decided)
        back = returned.returned
        journal.money_settled(decided.order, kept, returned.returned, returned.owed)
        decided = replace(decided, kept=kept, returned=returned.returned, owed=returned.owed)
    body, key = outcome_of(decided).to_json(), centre.new_key()
    journal.closed(decided.order, body, key)
    return replace(decided, outcome=body, outcome_key=key), back


def _settle(coins: CoinUnit, entry: OrderEntry) -> tuple[int, Returned]:
    """Return what was kept, and what went back: now, or before the kiosk died.

    All of the price in escrow: nothing had been done. Less: it died in between, and what is gone
    was kept as far as it was earned, and given back otherwise.
    """
    keep = min(earned(entry), entry.taken)
    held = coins.escrow()
    try:
        if keep and held >= entry.taken:
            coins.keep(keep)
        back = coins.return_all() if coins.escrow() else Returned(0, 0)
    except KofuError:
        return 0, Returned(0, entry.taken)
    gone = max(entry.taken - keep - back.returned - back.owed, 0)
    return keep, Returned(back.returned + gone, back.owed)
