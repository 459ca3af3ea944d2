"""What a resident is told when something is wrong, and that nothing is left half done."""

import pytest
from running import Running
from systems import journey, paused

pytestmark = pytest.mark.sockets


def _said(system: Running, persona: str, *more: str) -> tuple[int, str]:
    done = journey(system, persona, *more)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def test_a_wrong_pin_says_how_many_tries_are_left(system: Running) -> None:
    code, said = _said(system, "shimonoseki-kana", "--pin", "0000")
    assert code == 3
    assert "refused: wrong-pin" in said
    assert "2 more" in said or "2 tries" in said or "あと2回" in said, said


def test_an_unknown_persona_is_a_wrong_use(system: Running) -> None:
    code, said = _said(system, "shimonoseki-tarou")
    assert code == 2
    assert "shimonoseki-taro" in said


def test_a_pin_that_is_none_is_a_wrong_use(system: Running) -> None:
    code, _ = _said(system, "shimonoseki-taro", "--pin", "12")
    assert code == 2


@pytest.mark.parametrize("gone", ["printer", "line", "redis", "issuer"])
def test_a_part_that_hangs_is_said_and_nothing_is_charged(system: Running, gone: str) -> None:
    before = _kept(system)
    with paused(system.pids[gone]):
        code, said = _said(system, "shimonoseki-taro")
    assert code in {1, 3}, said
    assert "served" not in said
    assert _kept(system) == before


def _kept(system: Running) -> int:
    return system.command("kofu-backend", "orders", "list", "--limit", "500").stdout.count("kept")
