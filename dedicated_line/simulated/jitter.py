"""Seeded numbers, the same for the same seed on every machine."""

from typing import Final

_MULTIPLIER: Final = 6364136223846793005
_INCREMENT: Final = 1442695040888963407
_MODULUS: Final = 2**64
"""Knuth's linear congruential generator (The Art of Computer Programming, 3.3.4)."""


class Jitter:
    """A sequence of numbers in [0, 1): repeatable delays, nothing to do with security."""

    def __init__(self, seed: int) -> None:
        self._state = seed % _MODULUS

    def next(self) -> float:
        """Return the next number."""
        self._state = (self._state * _MULTIPLIER + _INCREMENT) % _MODULUS
        return (self._state >> 11) / 2**53
