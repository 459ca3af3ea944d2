from enum import StrEnum

import pytest

from backend.orders.model import Finding, Reason
from backend.participation import errors
from backend.participation.errors import ChangeRefusedError
from backend.web import words
from dedicated_line.contract.line import Health, SecurityEventKind
from dedicated_line.contract.refusals import Refusal
from dedicated_line.contract.states import IssueState, MoneyState, NumberStatus


@pytest.mark.parametrize(
    ("table", "names"),
    [
        (words.ISSUE_STATES, IssueState),
        (words.MONEY_STATES, MoneyState),
        (words.NUMBER_STATES, NumberStatus),
        (words.REFUSALS, Refusal),
        (words.REASONS, Reason),
        (words.HEALTH, Health),
        (words.SECURITY, SecurityEventKind),
        (words.FINDINGS, Finding),
    ],
)
def test_every_state_and_reason_has_its_japanese_word(
    table: dict[StrEnum, str], names: type[StrEnum]
) -> None:
    assert set(table) == set(names)
    assert len(set(table.values())) == len(table)


def test_every_change_that_cannot_be_made_says_in_japanese_what_to_do() -> None:
    refusals = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type)
        and issubclass(kind, ChangeRefusedError)
        and kind is not ChangeRefusedError
    ]
    for kind in refusals:
        assert words.change_refusal(kind("in English")) != "in English"
    assert refusals


def test_a_reason_that_has_no_word_yet_is_shown_as_it_is() -> None:
    assert words.reason("something-new") == "something-new"
    assert words.reason(None) == ""
