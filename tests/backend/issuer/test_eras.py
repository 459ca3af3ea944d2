from datetime import date, timedelta

import pytest

from backend.issuer.kinds.eras import era_date, western_date
from backend.issuer.register.model import age_on

BORDERS = [
    (date(1873, 1, 1), "明治6年1月1日"),
    (date(1912, 7, 29), "明治45年7月29日"),
    (date(1912, 7, 30), "大正元年7月30日"),
    (date(1912, 12, 31), "大正元年12月31日"),
    (date(1913, 1, 1), "大正2年1月1日"),
    (date(1926, 12, 24), "大正15年12月24日"),
    (date(1926, 12, 25), "昭和元年12月25日"),
    (date(1926, 12, 31), "昭和元年12月31日"),
    (date(1927, 1, 1), "昭和2年1月1日"),
    (date(1970, 4, 1), "昭和45年4月1日"),
    (date(1989, 1, 7), "昭和64年1月7日"),
    (date(1989, 1, 8), "平成元年1月8日"),
    (date(1989, 12, 31), "平成元年12月31日"),
    (date(1990, 1, 1), "平成2年1月1日"),
    (date(2019, 4, 30), "平成31年4月30日"),
    (date(2019, 5, 1), "令和元年5月1日"),
    (date(2019, 12, 31), "令和元年12月31日"),
    (date(2020, 1, 1), "令和2年1月1日"),
]


@pytest.mark.parametrize(("day", "text"), BORDERS)
def test_every_border_day_stands_in_its_era(day: date, text: str) -> None:
    assert era_date(day) == text


def test_no_day_has_the_wrong_year_that_real_papers_once_had() -> None:
    """平成3元年 and 平成31年5月 were printed once; every day since 1873 is looked at."""
    day, last = date(1873, 1, 1), ""
    while day < date(2040, 1, 1):
        text = era_date(day)
        name, year = text[:2], text[2:].split("年")[0]
        assert year == "元" or (year.isdigit() and 2 <= int(year) <= 64)
        assert text != last
        assert not (name == "平成" and day >= date(2019, 5, 1))
        day, last = day + timedelta(days=1), text


def test_a_day_before_the_gregorian_calendar_has_no_era_date() -> None:
    with pytest.raises(ValueError, match="1873"):
        era_date(date(1872, 12, 31))


def test_a_western_date_has_no_era() -> None:
    assert western_date(date(1990, 4, 1)) == "1990年4月1日"


@pytest.mark.parametrize(
    ("birth", "day", "age"),
    [
        (date(2011, 6, 15), date(2026, 6, 14), 14),
        (date(2011, 6, 15), date(2026, 6, 15), 15),
        (date(2012, 2, 29), date(2027, 2, 28), 14),
        (date(2012, 2, 29), date(2027, 3, 1), 15),
        (date(2026, 6, 15), date(2026, 6, 15), 0),
    ],
)
def test_age_grows_on_the_birthday(birth: date, day: date, age: int) -> None:
    assert age_on(birth, day) == age
