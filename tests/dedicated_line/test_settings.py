"""What the settings say, and what they refuse."""

import pytest

from dedicated_line.errors import UsageError
from dedicated_line.settings import Settings


@pytest.fixture(autouse=True)
def _no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    for name in ("KOFU_NOW", "KOFU_NOW_SINCE", "KOFU_ENVIRONMENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KOFU_VAR", str(tmp_path))


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOFU_NOW", "")
    assert Settings.load().now is None


def test_the_clock_cannot_be_set_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOFU_NOW", "2017-08-15T10:00+09:00")
    with pytest.raises(UsageError, match="refused in production"):
        Settings.load()


@pytest.mark.parametrize("text", ["yesterday", "2017-08-15T10:00", "2017-08"])
def test_a_time_without_its_offset_is_refused_with_an_example(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("KOFU_ENVIRONMENT", "simulation")
    monkeypatch.setenv("KOFU_NOW", text)
    with pytest.raises(UsageError, match=r"such as 2017-08-15T10:00\+09:00"):
        Settings.load()


def test_each_time_has_a_world_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOFU_ENVIRONMENT", "simulation")
    monkeypatch.setenv("KOFU_NOW", "2017-08-15T10:00+09:00")
    settings = Settings.load()
    assert settings.state == settings.var / "worlds" / "2017-08-15T1000+0900"
    assert settings.clock().now().isoformat().startswith("2017-08-15T01:00")
