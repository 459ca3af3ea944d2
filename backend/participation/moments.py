"""Moments as people write them: a month, a day or a minute, in Tokyo."""

import re
from datetime import datetime

from backend.participation.errors import UnreadableMomentError
from dedicated_line.clock import TOKYO

_MONTH = re.compile(r"^[0-9]{4}-[0-9]{2}$")


def read_moment(text: str) -> datetime:
    """Return the instant that text names.

    ``2017-11`` is its first day, 00:00; ``2017-11-15`` that day, 00:00; ``2017-11-15T09:30`` that
    minute; all of them Tokyo's unless an offset is written.

    Raises:
        UnreadableMomentError: text is none of these.
    """
    text = text.strip()
    try:
        moment = datetime.fromisoformat(f"{text}-01" if _MONTH.match(text) else text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=TOKYO)
        moment.timestamp()
    except (ValueError, OverflowError):
        raise UnreadableMomentError(
            f"{text!r} is no moment; write a month, a day or a minute of Tokyo, "
            "such as 2017-11, 2017-11-15 or 2017-11-15T09:30"
        ) from None
    return moment
