"""Dates as they stand on paper: Japanese eras (元号), or the Western calendar."""

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True)
class Era:
    """An era and its first day."""

    name: str
    first_day: date


ERAS: Final = (
    Era("令和", date(2019, 5, 1)),
    Era("平成", date(1989, 1, 8)),
    Era("昭和", date(1926, 12, 25)),
    Era("大正", date(1912, 7, 30)),
    Era("明治", date(1868, 1, 25)),
)
"""Newest first; a border day belongs to the new era.

Sources: 元号を改める政令 (平成31年政令143号, 昭和64年政令1号), and the rescripts of 1926, 1912 and
1868. 明治 counts its years from 1868, in Gregorian dates only from `FIRST_DAY` on.
"""
FIRST_DAY: Final = date(1873, 1, 1)
"""明治6年1月1日: the first day of the Gregorian calendar in Japan (明治5年太政官布告第337号)."""


def era_date(day: date) -> str:
    """Return a day in its era, such as 昭和45年4月1日 or 令和元年5月1日.

    Raises:
        ValueError: the day lies before `FIRST_DAY`, when months were those of the moon.
    """
    if day < FIRST_DAY:
        raise ValueError("the Gregorian calendar in Japan begins on 1873-01-01")
    era = next(era for era in ERAS if era.first_day <= day)
    year = day.year - era.first_day.year + 1
    return f"{era.name}{'元' if year == 1 else year}年{day.month}月{day.day}日"


def western_date(day: date) -> str:
    """Return a day in the Western calendar, such as 1990年4月1日: of foreign residents' items."""
    return f"{day.year}年{day.month}月{day.day}日"
