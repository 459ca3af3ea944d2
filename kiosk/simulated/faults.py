"""What can be wrong with a simulated card, as values, and how a person names it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from dedicated_line.contract.simulated_card import SimulatedCardFile
from dedicated_line.errors import UsageError

LONGEST_DELAY_MS: Final = 60_000
LAST_COMMAND: Final = 10_000
"""More commands than anybody sends to a card that is held up once."""


class FaultKind(StrEnum):
    """What is wrong: the contact, or what the card was made with."""

    DELAY = "delay"
    PULLED = "pulled"
    PULLED_AFTER = "pulled-after"
    GARBAGE = "garbage"
    TRUNCATED = "truncated"
    UNTRUSTED_CA = "untrusted-ca"
    CA_OF = "ca-of"
    REAL_JPKI = "real-jpki"
    EXPIRED = "expired"
    CERTIFICATE_OF = "certificate-of"
    KEY_OF = "key-of"
    CLONED = "cloned"


class Wants(StrEnum):
    """What a fault's name is followed by."""

    NOTHING = ""
    MILLISECONDS = "MS"
    COMMAND = "N"
    PERSONA = "PERSONA"


@dataclass(frozen=True)
class Meaning:
    """What a fault takes and does."""

    wants: Wants
    says: str


MEANINGS: Final = {
    FaultKind.DELAY: Meaning(Wants.MILLISECONDS, "every answer takes so many milliseconds more"),
    FaultKind.PULLED: Meaning(Wants.COMMAND, "the card is pulled before it hears the Nth command"),
    FaultKind.PULLED_AFTER: Meaning(
        Wants.COMMAND, "the card obeys the Nth command and is pulled before it answers"
    ),
    FaultKind.GARBAGE: Meaning(Wants.COMMAND, "the Nth answer is bytes without meaning"),
    FaultKind.TRUNCATED: Meaning(Wants.COMMAND, "the second half of the Nth answer is missing"),
    FaultKind.UNTRUSTED_CA: Meaning(
        Wants.NOTHING, "certificate and CA are of a generation that nobody trusts"
    ),
    FaultKind.CA_OF: Meaning(
        Wants.PERSONA, "the CA in the card's file 000B is that of PERSONA's card"
    ),
    FaultKind.REAL_JPKI: Meaning(
        Wants.NOTHING, "the certificate says O=JPKI, as real ones do, not O=JPKI-TEST"
    ),
    FaultKind.EXPIRED: Meaning(
        Wants.NOTHING, "the certificate's dates are over; nobody trusts whoever wrote them"
    ),
    FaultKind.CERTIFICATE_OF: Meaning(
        Wants.PERSONA, "the card shows PERSONA's certificate and signs with its own key"
    ),
    FaultKind.KEY_OF: Meaning(
        Wants.PERSONA, "the card shows its own certificate and signs with PERSONA's key"
    ),
    FaultKind.CLONED: Meaning(
        Wants.NOTHING, "a copy without the key, which no card lets out: it signs with a new one"
    ),
}


@dataclass(frozen=True)
class Fault:
    """One fault of one card."""

    kind: FaultKind
    number: int = 0
    """Milliseconds, or which command since the card was made, from 1."""
    other: SimulatedCardFile | None = None
    """The card that something is taken from."""

    def __post_init__(self) -> None:
        """Refuse a fault without what it takes."""
        wants = MEANINGS[self.kind].wants
        most = {Wants.MILLISECONDS: LONGEST_DELAY_MS, Wants.COMMAND: LAST_COMMAND}.get(wants, 0)
        least = 1 if most else 0
        if not least <= self.number <= most:
            raise UsageError(f"{name_of(self.kind)} takes a whole number from {least} to {most}")
        if (self.other is not None) != (wants is Wants.PERSONA):
            raise UsageError(f"a fault is given as {name_of(self.kind)}")


def name_of(kind: FaultKind) -> str:
    """Return a fault as it is typed: ``pulled:N``, ``cloned``."""
    wants = MEANINGS[kind].wants
    return f"{kind.value}:{wants.value}" if wants else kind.value


def explained() -> list[tuple[str, str]]:
    """Return every fault as it is typed, and what it does."""
    return [(name_of(kind), meaning.says) for kind, meaning in MEANINGS.items()]


def parse_fault(text: str, card_of: Callable[[str], SimulatedCardFile]) -> Fault:
    """Read ``NAME``, ``NAME:ARG`` or ``NAME=ARG``.

    Args:
        text: as it was typed.
        card_of: finds a persona's card, or raises.

    Raises:
        UsageError: there is no such fault, or it takes something else.
    """
    name, _, argument = text.replace("=", ":", 1).partition(":")
    try:
        kind = FaultKind(name)
    except ValueError:
        raise UsageError(
            f"there is no fault {name!r}; there are {', '.join(name_of(one) for one in FaultKind)}"
        ) from None
    wants = MEANINGS[kind].wants
    if bool(argument) != bool(wants):
        raise UsageError(f"a fault is given as {name_of(kind)}")
    if wants is Wants.PERSONA:
        return Fault(kind, other=card_of(argument))
    if wants is Wants.NOTHING:
        return Fault(kind)
    if not (argument.isascii() and argument.isdigit()):
        raise UsageError(f"{name_of(kind)} takes a whole number, not {argument!r}")
    return Fault(kind, number=int(argument))
