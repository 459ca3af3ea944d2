"""The clock can be set: 山口市 starts on the first of November 2017, at midnight in Tokyo."""

from pathlib import Path

import pytest
from systems import journey, running_system

pytestmark = pytest.mark.sockets


def test_in_august_2017_a_resident_of_yamaguchi_is_told_when_their_city_starts(
    worlds: Path,
) -> None:
    with running_system(worlds, now="2017-08-15T10:00+09:00") as system:
        early = journey(system, "yamaguchi-hanako")
        assert early.returncode == 3, early.stdout + early.stderr
        assert "refused: not-yet-participating" in early.stdout
        assert "2017年11月" in early.stdout
        assert journey(system, "shimonoseki-taro").returncode == 0


def test_on_the_first_of_november_they_are_served(worlds: Path) -> None:
    with running_system(worlds, now="2017-11-01T00:00+09:00") as system:
        done = journey(system, "yamaguchi-hanako")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "served" in done.stdout
