"""Cards pulled out of the real pcscd in mid-dialogue; every command, both ways: the campaign."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulled_cards import commands_of_a_sign_in, pulled_at

from kiosk.simulated.faults import FaultKind


@pytest.mark.pcscd
@pytest.mark.usefixtures("pcscd")
@pytest.mark.parametrize(
    ("from_end", "kind"),
    [
        (None, FaultKind.PULLED),
        (5, FaultKind.PULLED_AFTER),
        (2, FaultKind.PULLED),
        (0, FaultKind.PULLED_AFTER),
    ],
    ids=["at the first command", "while it is read", "before the PIN", "after it signed"],
)
def test_a_card_pulled_out_of_pcscd_costs_no_try_and_the_next_person_is_served(
    make_card: Callable[..., Any], tmp_path: Path, from_end: int | None, kind: FaultKind
) -> None:
    card = make_card().file
    at = 1 if from_end is None else commands_of_a_sign_in(card) - from_end
    assert pulled_at(card, tmp_path, at, kind) == []
