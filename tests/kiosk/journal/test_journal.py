"""The journal: reopened after each step, as after a power cut."""

import stat
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.numbers import issue_number
from dedicated_line.contract.orders import OrderStatus, Outcome
from dedicated_line.contract.problems import ProblemCode, problem
from dedicated_line.contract.states import PrintResult, ProofStrength
from dedicated_line.kiosk_end.client import LineLoss, LineLostError
from kiosk.centre.errors import CentreError
from kiosk.journal.settle import Settled, settle_unfinished
from kiosk.journal.store import Journal, JournalError
from kiosk.simulated.coin_unit import SimulatedCoinUnit

KIND = Kind.RESIDENCE_CERTIFICATE
AT = datetime(2026, 4, 1, tzinfo=UTC)
ORDER = "b" * 32
NUMBERS = (issue_number("352012", 7), issue_number("352012", 8))


class HearingCentre:
    def __init__(self, error: Exception | None = None) -> None:
        self.heard: list[Outcome] = []
        self.keys: list[str] = []
        self.error = error
        self.made = 0

    def send_outcome(self, order: str, body: bytes, key: str, seconds: float = 20.0) -> OrderStatus:
        assert seconds > 0
        self.keys.append(key)
        if self.error is not None:
            raise self.error
        self.heard.append(Outcome.model_validate_json(body))
        return OrderStatus(order=order, kind=KIND, issues=())

    def new_key(self) -> str:
        self.made += 1
        return f"key-{self.made:020d}"


class Kiosk:
    """Coin unit and journal, which survive."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.coins = SimulatedCoinUnit(folder / "coins.json", name="k", resident_pays=True)

    def steps(self) -> list[Callable[[Journal], None]]:
        """Return every durable step of a journey with two copies, in order."""
        return [
            lambda j: j.order_sealed(ORDER, KIND, 600, AT),
            lambda j: j.numbers_given(ORDER, NUMBERS),
            lambda _: self._insert(),
            lambda j: j.money_taken(ORDER, 600, "r"),
            lambda j: j.release_asked(ORDER),
            lambda j: j.released(ORDER),
            lambda j: j.printing(NUMBERS[0]),
            lambda j: j.printed(NUMBERS[0], PrintResult.PRINTED, ProofStrength.PROCESS_ID, "37 22"),
            lambda j: j.printing(NUMBERS[1]),
            lambda j: j.printed(NUMBERS[1], PrintResult.PRINTED, ProofStrength.PROCESS_ID, "37 22"),
            lambda _: self.coins.keep(600),
            lambda j: j.money_settled(ORDER, 600, 0, 0),
        ]

    def _insert(self) -> None:
        self.coins.accept(600, 0)

    def crash_after(self, count: int) -> tuple[Settled, HearingCentre]:
        for step in self.steps()[:count]:
            journal = Journal(self.folder / "journal.db")
            step(journal)
            journal.close()
        centre = HearingCentre()
        self.coins = SimulatedCoinUnit(self.folder / "coins.json", name="k", resident_pays=True)
        journal = Journal(self.folder / "journal.db")
        settled = settle_unfinished(journal, self.coins, centre)
        assert journal.unfinished() == ()
        assert settle_unfinished(journal, self.coins, centre) == Settled()
        journal.close()
        return settled, centre


@pytest.fixture
def kiosk(tmp_path: Path) -> Kiosk:
    return Kiosk(tmp_path)


P, S, U = PrintResult.PRINTED, PrintResult.SPOILED, PrintResult.UNKNOWN


@pytest.mark.parametrize(
    ("count", "result", "issues", "kept"),
    [
        (1, "cancelled", [], 0),
        (2, "cancelled", [], 0),
        (3, "cancelled", [], 0),
        (4, "cancelled", [], 0),
        (5, "cancelled", [], 0),
        (6, "finished", [S, S], 0),
        (7, "finished", [U, S], 0),
        (8, "finished", [P, S], 300),
        (9, "finished", [P, U], 300),
        (10, "finished", [P, P], 600),
        (11, "finished", [P, P], 600),
        (12, "finished", [P, P], 600),
    ],
)
def test_a_power_cut_after_each_step_ends_in_true_books(
    count: int, result: str, issues: list[PrintResult], kept: int, kiosk: Kiosk
) -> None:
    _, centre = kiosk.crash_after(count)
    (outcome,) = centre.heard
    assert outcome.result == result
    assert [issue.result for issue in outcome.issues] == issues
    counters = kiosk.coins.counters()
    assert (counters.kept, counters.escrow) == (kept, 0)
    assert counters.accepted == counters.kept + counters.returned
    money = outcome.money
    assert money.taken == kept + money.returned + money.owed
    assert money.taken in {0, 600}


def test_nothing_unfinished_is_nothing_to_do(kiosk: Kiosk) -> None:
    settled, centre = kiosk.crash_after(0)
    assert settled == Settled()
    assert centre.heard == []


def test_coins_without_an_order_go_back(kiosk: Kiosk) -> None:
    kiosk.coins.drop(100)
    settled, _ = kiosk.crash_after(0)
    assert settled.given_back == 100


def test_coins_of_a_price_that_was_never_complete_are_no_money_of_the_order(kiosk: Kiosk) -> None:
    kiosk.coins.drop(100)
    _, centre = kiosk.crash_after(2)
    assert centre.heard[0].money.taken == 0
    assert kiosk.coins.counters().returned == 100


@pytest.mark.parametrize(
    "error",
    [
        LineLostError(LineLoss.UNREACHABLE),
        CentreError(problem(ProblemCode.UNKNOWN_ORDER, 404, "No.")),
    ],
)
def test_an_outcome_that_is_not_heard_waits_and_keeps_its_words_and_key(
    error: Exception, kiosk: Kiosk
) -> None:
    journal = Journal(kiosk.folder / "journal.db")
    journal.order_sealed(ORDER, KIND, 600, AT)
    deaf = HearingCentre(error)
    assert settle_unfinished(journal, kiosk.coins, deaf).waiting == (ORDER,)
    hearing = HearingCentre()
    assert settle_unfinished(journal, kiosk.coins, hearing).told == (ORDER,)
    assert hearing.keys == deaf.keys
    journal.close()


def test_numbers_and_stops_are_known_after_a_restart(kiosk: Kiosk) -> None:
    journal = Journal(kiosk.folder / "journal.db")
    journal.order_sealed(ORDER, KIND, 600, AT)
    journal.numbers_given(ORDER, NUMBERS)
    journal.rejected(ORDER, "header", "layout", KIND, AT)
    journal.key_list_accepted(7)
    journal.key_list_accepted(3)
    journal.close()
    journal = Journal(kiosk.folder / "journal.db")
    assert journal.seen([NUMBERS[1], issue_number("352012", 9)]) == {NUMBERS[1]}
    assert journal.stopped_kinds() == {KIND}
    assert journal.key_list_version() == 7
    centre = HearingCentre()
    settle_unfinished(journal, kiosk.coins, centre)
    assert (centre.heard[0].result, centre.heard[0].check) == ("rejected", "header")
    journal.close()


def test_a_number_is_written_once(kiosk: Kiosk) -> None:
    journal = Journal(kiosk.folder / "journal.db")
    journal.order_sealed(ORDER, KIND, 600, AT)
    journal.numbers_given(ORDER, NUMBERS)
    with pytest.raises(JournalError):
        journal.numbers_given(ORDER, NUMBERS)
    journal.close()


def test_a_journal_that_cannot_be_written_says_so_in_a_sentence(tmp_path: Path) -> None:
    place = tmp_path / "missing" / "journal.db"
    with pytest.raises(JournalError, match="free the disk or its permissions"):
        Journal(place)


def test_a_file_that_is_no_journal_says_so(tmp_path: Path) -> None:
    file = tmp_path / "journal.db"
    file.write_bytes(b"not a database, whatever its name says" * 100)
    file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    with pytest.raises(JournalError, match="journal"):
        Journal(file)
