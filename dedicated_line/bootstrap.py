"""The one place where the line's processes are put together from their settings."""

from dedicated_line.clock import SystemClock, SystemEntropy
from dedicated_line.enrolment.service import Enrolment
from dedicated_line.line_settings import LineSettings


def enrolment(settings: LineSettings | None = None) -> Enrolment:
    """Return enrolment in this installation's state folder."""
    settings = settings or LineSettings.load()
    return Enrolment(
        line=settings.line_folder,
        kiosks=settings.kiosks_folder,
        clock=SystemClock(),
        entropy=SystemEntropy(),
    )
