"""A coin unit, whichever it is: the port that the adapters fill. All amounts are in yen.

Money that has come in stays in escrow until `keep` or `return_all` says what becomes of it. The
unit's own counters are never reset and outrank the kiosk's journal.
"""

from dataclasses import dataclass
from typing import Protocol

from dedicated_line.errors import KofuError


class CoinFaultError(KofuError):
    """The unit has a jam, or does not answer."""


@dataclass(frozen=True)
class Deposit:
    """What has come in for the amount that is being asked for."""

    inserted: int
    """In escrow now."""
    receipt: str | None = None
    """The unit's own word for it, once the amount is complete."""


@dataclass(frozen=True)
class Returned:
    """What came out again, and what the unit could not give back."""

    returned: int
    owed: int


@dataclass(frozen=True)
class Counters:
    """Since the unit was made."""

    accepted: int
    kept: int
    returned: int
    escrow: int


class CoinUnit(Protocol):
    """One coin unit."""

    def check(self) -> None:
        """Raise CoinFaultError, in words for operators, unless the unit can be used now."""
        ...

    def can_give_change(self, amount: int) -> bool:
        """Tell whether everything that may be accepted for this amount could be given back."""
        ...

    def accept(self, amount: int, seconds: float) -> Deposit:
        """Take in money towards the amount; return at completion or after seconds.

        Change is given at completion, so that escrow then holds the amount exactly.

        Raises:
            CoinFaultError: something is jammed; what is in escrow stays there.
        """
        ...

    def escrow(self) -> int:
        """Return what is in escrow."""
        ...

    def keep(self, amount: int) -> None:
        """Move the amount out of escrow into the box; the rest stays in escrow."""
        ...

    def return_all(self) -> Returned:
        """Give back all that is in escrow, as far as the unit can; then escrow is empty."""
        ...

    def counters(self) -> Counters:
        """Return the unit's counters."""
        ...
