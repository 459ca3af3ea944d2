"""The one Clock and the one Entropy, handed to whoever needs them."""

import secrets  # noqa: TID251 - the one place that randomness comes from
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

TOKYO = ZoneInfo("Asia/Tokyo")
"""Times are UTC on the wire and Asia/Tokyo on paper and screen."""


class Clock(Protocol):
    """Domain time and durations."""

    def now(self) -> datetime:
        """Return domain time (UTC): participation, ages, user certificates, OCSP, key list."""
        ...

    def real_now(self) -> datetime:
        """Return real time (UTC): TLS certificates, log lines, file names."""
        ...

    def monotonic(self) -> float:
        """Return seconds for deadlines and durations."""
        ...


class Entropy(Protocol):
    """Randomness."""

    def token(self, count: int) -> bytes:
        """Return count unpredictable bytes."""
        ...


@dataclass(frozen=True)
class SystemClock:
    """The machine's clock; in simulation domain time may run at an offset."""

    offset: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Return real time plus the offset."""
        return self.real_now() + self.offset

    def real_now(self) -> datetime:
        """Return the machine's time."""
        return datetime.now(UTC)  # noqa: TID251 - the one place that reads it

    def monotonic(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()  # noqa: TID251 - the one place that reads it


@dataclass
class FixedClock:
    """A clock for tests, which stands until it is moved."""

    at: datetime
    seconds: float = 0.0

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self.at

    def real_now(self) -> datetime:
        """Return the same instant."""
        return self.at

    def monotonic(self) -> float:
        """Return the seconds it was moved by."""
        return self.seconds

    def move(self, **duration: float) -> None:
        """Move on by a timedelta given in its own words (``seconds=5``)."""
        step = timedelta(**duration)
        self.at += step
        self.seconds += step.total_seconds()


class SystemEntropy:
    """The operating system's randomness."""

    def token(self, count: int) -> bytes:
        """Return count bytes from the operating system."""
        return secrets.token_bytes(count)


@dataclass
class CountedEntropy:
    """Predictable bytes for tests and vectors: one, two, three, …, big-endian."""

    count: int = 0

    def token(self, count: int) -> bytes:
        """Return the next number, big-endian, in count bytes."""
        self.count += 1
        return self.count.to_bytes(count, "big")
