"""When answers leave: neutral refusals all at the same time after arrival."""

from math import floor
from threading import Event
from typing import Final, Protocol

from dedicated_line.clock import Clock

NEUTRAL_SECONDS: Final = 0.4
"""Longer than any decision takes, so that the time tells nothing of the reason."""


class Pace(Protocol):
    """Holds answers back."""

    def arrival(self) -> float:
        """Return the instant of arrival, for `hold`."""
        ...

    def hold(self, arrival: float) -> None:
        """Return when the fixed time after arrival has passed."""
        ...


class FixedPace:
    """Answers at whole multiples of a step after arrival: the first, unless the machine is slow."""

    def __init__(self, clock: Clock, step: float = NEUTRAL_SECONDS) -> None:
        """Take the step in seconds."""
        self._clock = clock
        self._step = step

    def arrival(self) -> float:
        """Return the monotonic instant."""
        return self._clock.monotonic()

    def hold(self, arrival: float) -> None:
        """Wait until the next multiple of the step."""
        passed = self._clock.monotonic() - arrival
        until = arrival + (floor(passed / self._step) + 1) * self._step
        never = Event()
        while (left := until - self._clock.monotonic()) > 0:
            never.wait(left)
