"""How a simulated wire behaves: delays, bandwidth, and faults on order."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

BITS: Final = 8


class Direction(StrEnum):
    """Which way bytes go."""

    UP = "up"
    """From the kiosk to the centre."""
    DOWN = "down"


@dataclass(frozen=True)
class Profile:
    """One kind of wire; the same in both directions."""

    name: str
    latency: float = 0.0
    """Seconds that a byte travels."""
    jitter: float = 0.0
    """At most so many seconds more, evenly spread; order is kept."""
    bits_per_second: int | None = None

    @property
    def passes_at_once(self) -> bool:
        """Tell whether bytes go on as they come."""
        return not self.latency and not self.jitter and self.bits_per_second is None

    def seconds_for(self, count: int) -> float:
        """Return how long so many bytes take to be put on the wire."""
        return 0.0 if self.bits_per_second is None else count * BITS / self.bits_per_second


PROFILES: Final = {
    profile.name: profile
    for profile in (
        Profile("none"),
        # One B channel of INS-Net 64 (64 kbit/s); latency as usual between two domestic points.
        Profile("isdn", latency=0.030, jitter=0.005, bits_per_second=64_000),
    )
}


class FaultKind(StrEnum):
    """What happens to a connection."""

    CUT = "cut"
    """Both ends see an orderly close, in the middle of whatever it is."""
    RESET = "reset"
    """Both ends see a reset."""
    STALL = "stall"
    """Nothing goes on in this direction, and nobody is told."""


@dataclass(frozen=True)
class Fault:
    """Happens once, when so many bytes of a connection have passed in a direction."""

    kind: FaultKind
    direction: Direction
    after: int
    """Bytes that still pass."""
