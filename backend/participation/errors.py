"""What can be wrong with a question about participation, or with a change of it."""

from dedicated_line.errors import KofuError, UsageError


class UnknownMunicipalityError(UsageError):
    """No municipality has this code or name, or several have this name."""


class UnreadableMomentError(UsageError):
    """A text is no moment."""


class BadTableError(UsageError):
    """A table of municipalities or of participation has a row that cannot be right."""


class ChangeRefusedError(KofuError):
    """A change cannot be made as it was asked for; nothing was changed."""


class InThePastError(ChangeRefusedError):
    """The moment lies in the past: what residents were offered then cannot be changed."""


class NothingChangesError(ChangeRefusedError):
    """It is so already at that moment."""


class FeeOutOfRangeError(ChangeRefusedError):
    """No certificate costs that."""


class ChangedMeanwhileError(ChangeRefusedError):
    """Somebody made another change since the page was shown."""


class NothingToUndoError(ChangeRefusedError):
    """There is no change yet."""
