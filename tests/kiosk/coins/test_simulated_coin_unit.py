"""The simulated coin unit: money is always somewhere."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.coins.unit import CoinFaultError, Returned
from kiosk.simulated.coin_unit import CoinFileError, SimulatedCoinUnit


def unit(folder: Path, *, pays: bool = False) -> SimulatedCoinUnit:
    return SimulatedCoinUnit(folder / "coins.json", name="k000001", resident_pays=pays)


def test_an_exact_amount_gets_a_receipt(tmp_path: Path) -> None:
    coins = unit(tmp_path)
    coins.drop(300)
    deposit = coins.accept(300, 0)
    assert (deposit.inserted, deposit.receipt) == (300, "k000001-000000300")


def test_too_little_gets_none(tmp_path: Path) -> None:
    coins = unit(tmp_path)
    coins.drop(100)
    assert coins.accept(300, 0.01).receipt is None
    assert coins.escrow() == 100


def test_too_much_gives_change(tmp_path: Path) -> None:
    coins = unit(tmp_path)
    coins.drop(1000)
    assert coins.accept(300, 0).inserted == 300
    assert coins.counters().returned == 700


def test_a_made_up_resident_pays_by_themselves(tmp_path: Path) -> None:
    assert unit(tmp_path, pays=True).accept(300, 0).receipt is not None


def test_counters_outlive_the_process(tmp_path: Path) -> None:
    coins = unit(tmp_path)
    coins.drop(300)
    coins.keep(300)
    assert unit(tmp_path).counters() == coins.counters()


def test_a_jam_is_said_and_owed(tmp_path: Path) -> None:
    coins = unit(tmp_path)
    coins.drop(300)
    coins.jam()
    with pytest.raises(CoinFaultError, match="jammed"):
        coins.accept(300, 0)
    assert not coins.can_give_change(300)
    assert coins.return_all() == Returned(0, 300)


def test_more_than_there_is_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(CoinFaultError):
        unit(tmp_path).keep(1)


def test_a_broken_file_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "coins.json").write_text("[")
    with pytest.raises(CoinFileError, match="remove it"):
        unit(tmp_path)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["dka", "r"][0] + "r"), st.integers(1, 500))))
def test_money_is_always_somewhere(
    tmp_path_factory: pytest.TempPathFactory, moves: list[tuple[str, int]]
) -> None:
    coins = unit(tmp_path_factory.mktemp("coins"))
    for move, amount in moves:
        if move == "d":
            coins.drop(amount)
        elif move == "k":
            coins.keep(min(amount, coins.escrow()))
        elif move == "a":
            coins.accept(amount, 0)
        else:
            coins.return_all()
        now = coins.counters()
        assert now.accepted == now.kept + now.returned + now.escrow
