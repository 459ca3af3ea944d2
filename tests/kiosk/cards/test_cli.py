"""``kofu-kiosk card``, as a person types it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dedicated_line.clock import SystemClock
from kiosk.cards.pcsc import PcscReader

SLOT = 1
KOFU_KIOSK = [str(Path(sys.executable).with_name("kofu-kiosk"))]


@pytest.fixture
def world(tmp_path: Path, make_card: Callable[..., Any]) -> Path:
    cards = tmp_path / "cards"
    cards.mkdir()
    for persona in ("test-taro", "test-hanako", "other-jiro"):
        (cards / f"{persona}.json").write_bytes(make_card(persona).file.to_json())
    return tmp_path


def start(world: Path, *words: str, environment: str = "simulation") -> subprocess.Popen[str]:
    own = {**os.environ, "KOFU_VAR": str(world), "KOFU_ENVIRONMENT": environment}
    return subprocess.Popen(
        [*KOFU_KIOSK, "card", *words],
        env=own,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


@pytest.mark.sockets
def test_an_unknown_persona_is_answered_with_near_names(world: Path) -> None:
    code, _, err = ended(start(world, "insert", "test-tarou"))
    assert code == 2
    assert "test-taro" in err
    assert len(err.splitlines()) == 1


@pytest.mark.sockets
def test_production_refuses_a_simulated_card(world: Path) -> None:
    code, _, err = ended(start(world, "insert", "test-taro", environment="production"))
    assert code == 2
    assert "simulation only" in err


@pytest.mark.pcscd
@pytest.mark.usefixtures("pcscd")
def test_a_card_lies_on_the_reader_until_it_is_told_to_go(world: Path) -> None:
    PcscReader(SLOT, SystemClock()).wait_until_removed(5)
    holding = start(world, "insert", "test-taro", "--slot", str(SLOT))
    assert holding.stdout is not None
    assert "test-taro" in holding.stdout.readline()
    code, out, _ = ended(start(world, "show", "--slot", str(SLOT)))
    assert code == 0
    assert "my number card" in out
    assert "tries left  3" in out
    holding.send_signal(signal.SIGTERM)
    code, _, err = ended(holding)
    assert code == 0
    assert "SIMULATED" in err
    PcscReader(SLOT, SystemClock()).wait_until_removed(5)


@pytest.mark.pcscd
@pytest.mark.usefixtures("pcscd")
def test_an_empty_reader_is_said_in_one_sentence(world: Path) -> None:
    PcscReader(SLOT, SystemClock()).wait_until_removed(5)
    code, _, err = ended(start(world, "show", "--slot", str(SLOT)))
    assert code == 1
    assert "hold up a card" in err
