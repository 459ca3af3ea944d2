"""A PIN on its way from the keys to the card."""

from typing import Final, Self

from kiosk.cards.model import PIN_DIGITS

_DIGITS: Final = frozenset(b"0123456789")


class Pin:
    """The digits typed so far: held in one place, shown by nothing, overwritten after use."""

    __slots__ = ("_digits",)

    def __init__(self, digits: str = "") -> None:
        """Begin with these digits; a kiosk begins with none and adds them as they are typed."""
        self._digits = bytearray(digits.encode("ascii"))

    def add(self, digit: int) -> None:
        """Add one digit, 0 to 9; nothing beyond the fourth is taken."""
        if not 0 <= digit <= 9:  # noqa: PLR2004 - a digit
            raise ValueError("not a digit")
        if len(self._digits) < PIN_DIGITS:
            # One byte at a time into the one place: a longer value would leave copies behind.
            self._digits.append(0x30 + digit)

    def delete(self) -> None:
        """Take the last digit away."""
        if self._digits:
            self._digits[-1] = 0
            self._digits.pop()

    @property
    def complete(self) -> bool:
        """Tell whether it can be a PIN: four digits."""
        return len(self._digits) == PIN_DIGITS and _DIGITS.issuperset(self._digits)

    def digits(self) -> bytearray:
        """Return the digits themselves, not a copy: `wipe` overwrites them."""
        return self._digits

    def copy(self) -> Self:
        """Return another of the same digits; wiping the one leaves the other."""
        other = type(self)()
        other._digits += self._digits  # noqa: SLF001 - its own kind
        return other

    def wipe(self) -> None:
        """Overwrite the digits, then have none."""
        for place in range(len(self._digits)):
            self._digits[place] = 0
        self._digits.clear()

    def __len__(self) -> int:
        return len(self._digits)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pin) and self._digits == other._digits

    __hash__ = None  # type: ignore[assignment]  # its digits change

    def __repr__(self) -> str:
        return "Pin(****)"

    def __str__(self) -> str:
        return "****"

    def __del__(self) -> None:
        self.wipe()
