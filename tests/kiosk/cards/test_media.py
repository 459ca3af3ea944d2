"""Which medium it is, by its token label, and what follows from that."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from dedicated_line.contract.refusals import Refusal
from kiosk.cards import dialogue, errors
from kiosk.cards.model import Medium, medium_of, old_juki_in_term
from kiosk.simulated.card import VirtualCard

MESSAGE = b"the holder asks"


@pytest.mark.parametrize(
    ("label", "medium"),
    [
        ("JPKIAPICCTOKEN2", Medium.MY_NUMBER_CARD),
        ("JPKIAPICCTOKEN", Medium.OLD_JUKI_CARD),
        ("JPKIAPGPSETOKEN", Medium.ANDROID),
        ("JPKIAPIOSTOKEN", Medium.IPHONE),
        ("JPKIAPICCTOKEN3", Medium.UNKNOWN),
        ("unknown", Medium.UNKNOWN),
        ("", Medium.UNKNOWN),
    ],
)
def test_the_label_tells_the_medium(
    make_card: Callable[..., Any], label: str, medium: Medium
) -> None:
    assert medium_of(label) is medium
    assert dialogue.look(VirtualCard(make_card(label=label).file).answer).medium is medium
    assert medium.words


@pytest.mark.parametrize("label", ["JPKIAPGPSETOKEN", "JPKIAPIOSTOKEN"])
def test_a_phone_signs_as_a_card_does(make_card: Callable[..., Any], label: str) -> None:
    card = VirtualCard(make_card(label=label).file)
    dialogue.require_servable(dialogue.look(card.answer))
    assert dialogue.sign_in(card.answer, "1234", MESSAGE).signature


@pytest.mark.parametrize(
    ("now", "in_term", "sentence"),
    [
        (datetime(2017, 8, 15, tzinfo=UTC), True, "perhaps still in its ten-year term"),
        (datetime(2025, 12, 28, 14, 59, tzinfo=UTC), True, "perhaps still"),
        (datetime(2025, 12, 28, 15, 0, tzinfo=UTC), False, "expired on 2025-12-28"),
        (None, None, "this is an old Juki card; use a My Number Card"),
    ],
)
def test_an_old_juki_card_is_refused_in_its_term_and_beyond_it(
    make_card: Callable[..., Any], now: datetime | None, in_term: Any, sentence: str
) -> None:
    seen = dialogue.look(VirtualCard(make_card(label="JPKIAPICCTOKEN").file).answer)
    with pytest.raises(errors.OldJukiCardError, match=sentence) as caught:
        dialogue.require_servable(seen, now)
    assert caught.value.refusal is Refusal.OLD_JUKI_CARD
    assert caught.value.in_term is in_term
    assert now is None or old_juki_in_term(now) is in_term
