"""How the centre says no, sorted by what can be done about it."""

from dedicated_line.contract.problems import Problem
from dedicated_line.errors import Exit, KofuError


class CentreError(KofuError):
    """The centre did not do what was asked."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"the centre says {problem.code.value}: {problem.detail}")
        self.problem = problem


class CentreRefusedError(CentreError):
    """A rule said no; `problem.refusal` is what the resident is told."""

    exit_code = Exit.REFUSED


class CentreUnavailableError(CentreError):
    """A part of the centre is down; the same request may be repeated."""


class SessionLostError(CentreError):
    """The centre does not know the session any more: start again with the card."""


class CentreIntegrityError(CentreError):
    """The clerk's check at the centre said no. No retry."""


class NotUnderstoodError(KofuError):
    """The centre's answer is none of the contract."""

    def __init__(self, request: str) -> None:
        super().__init__(
            f"the centre's answer to {request} is not in the contract's words; "
            "the versions of kiosk and centre do not fit: call the operators"
        )
