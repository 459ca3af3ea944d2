"""States of an issue, its number and its money, as both ends name them."""

from enum import StrEnum


class IssueState(StrEnum):
    """The state of one issue; an order's state is derived from its issues'."""

    INTENDED = "intended"
    SEALED = "sealed"
    RELEASED = "released"
    PRINTED = "printed"
    SPOILED = "spoiled"
    UNKNOWN = "unknown"
    ABANDONED = "abandoned"
    REFUSED = "refused"


class MoneyState(StrEnum):
    """The money of one issue."""

    NONE = "none"
    DUE = "due"
    TAKEN = "taken"
    KEPT = "kept"
    REFUNDED = "refunded"
    OWED = "owed"
    REPAID = "repaid"


class NumberStatus(StrEnum):
    """What an issue number is worth to whoever holds the paper."""

    PENDING = "pending"
    VALID = "valid"
    SUSPENDED = "suspended"
    VOID = "void"
    RECALLED = "recalled"


class PrintResult(StrEnum):
    """What became of one issue at the printer."""

    PRINTED = "printed"
    SPOILED = "spoiled"
    UNKNOWN = "unknown"


class ProofStrength(StrEnum):
    """How the printer showed that it printed; declared by its profile."""

    PROCESS_ID = "process-id"
    """The process id came back (GS ( H function 48)."""
    FINAL_STATUS = "final-status"
    """Status after the final feed: weaker."""
    NONE = "none"
