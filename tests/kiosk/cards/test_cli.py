"""``kofu-kiosk card``, as a person types it."""

import os
import re
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
    assert "medium      My Number Card (JPKIAPICCTOKEN2)" in out
    assert "CN          user of test-taro" in out
    assert "tries left  3" in out
    code, both, _ = ended(start(world, "show"))
    assert code == 0
    assert "slot 0:" in both
    assert out in both
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


@pytest.mark.sockets
def test_the_help_explains_every_fault(world: Path) -> None:
    from kiosk.simulated.faults import FaultKind

    code, out, _ = ended(start(world, "insert", "--help"))
    assert code == 0
    for kind in FaultKind:
        assert f"\n  {kind.value}" in out


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("torn", "there is no fault 'torn'"),
        ("pulled", "a fault is given as pulled:N"),
        ("key-of:nobody-at-all", "there is no persona 'nobody-at-all'"),
    ],
)
def test_a_fault_that_cannot_be_is_wrong_usage(world: Path, fault: str, sentence: str) -> None:
    code, _, err = ended(start(world, "insert", "test-taro", "--fault", fault))
    assert code == 2
    assert sentence in err
    assert len(err.splitlines()) == 1


@pytest.mark.pcscd
@pytest.mark.usefixtures("pcscd")
def test_a_card_with_faults_is_shown_as_it_is_and_pulled_when_asked(world: Path) -> None:
    PcscReader(SLOT, SystemClock()).wait_until_removed(5)
    holding = start(
        world,
        *("insert", "test-taro", "--slot", str(SLOT)),
        *("--fault", "certificate-of=test-hanako", "--fault", "pulled:12"),
    )
    assert holding.stdout is not None
    assert "with certificate-of=test-hanako, pulled:12," in holding.stdout.readline()
    code, out, _ = ended(start(world, "show", "--slot", str(SLOT)))
    assert code == 0
    assert "CN          user of test-hanako" in out
    code, _, err = ended(start(world, "show", "--slot", str(SLOT)))
    assert code == 1
    assert "contact with the card was lost" in err
    code, out, _ = ended(holding)
    assert code == 0
    assert "was pulled, as asked" in out
    PcscReader(SLOT, SystemClock()).wait_until_removed(5)


@pytest.mark.pcscd
@pytest.mark.usefixtures("pcscd")
def test_a_watch_says_when_a_card_came_and_how_long_it_lay_there(world: Path) -> None:
    PcscReader(SLOT, SystemClock()).wait_until_removed(5)
    watching = start(world, "watch", "--slot", str(SLOT))
    assert watching.stdout is not None
    assert watching.stdout.readline().endswith(f"slot {SLOT}: empty\n")
    code, _, _ = ended(start(world, "insert", "test-taro", "--slot", str(SLOT), "--hold", "0.5"))
    assert code == 0
    pattern = r"20[0-9-]{8} [0-9:]{8}\.[0-9]{3}\+09:00  slot 1: (card|empty) after [0-9]+ ms\n"
    for event in ("card", "empty"):
        found = re.fullmatch(pattern, watching.stdout.readline())
        assert found is not None
        assert found[1] == event
    watching.send_signal(signal.SIGTERM)
    assert ended(watching)[0] == 0
