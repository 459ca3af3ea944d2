import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from backend.database import transaction
from backend.participation import service
from backend.participation.errors import (
    BadTableError,
    ChangedMeanwhileError,
    ChangeRefusedError,
    FeeOutOfRangeError,
    InThePastError,
    NothingChangesError,
    NothingToUndoError,
    UnknownMunicipalityError,
)
from backend.participation.model import Offer, Wish
from backend.participation.moments import read_moment
from dedicated_line.contract.kinds import Kind
from dedicated_line.contract.line import LineEvent, LineEventKind
from dedicated_line.contract.refusals import Refusal

KIND = Kind.RESIDENCE_CERTIFICATE
SHIMONOSEKI, UBE, YAMAGUCHI, HOFU, IWAKUNI = "352012", "352021", "352039", "352063", "352080"
NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
AUTHOR = service.Author("shimonoseki", "点検のため", NOW)


@dataclass
class HeardAnnouncer:
    """Keeps what was announced."""

    events: list[LineEvent] = field(default_factory=list)

    def announce(self, event: LineEvent) -> None:
        self.events.append(event)


@pytest.fixture
def announcer() -> HeardAnnouncer:
    return HeardAnnouncer()


def offer(engine: Engine, municipality: str, at: str | datetime) -> Offer:
    moment = read_moment(at) if isinstance(at, str) else at
    with transaction(engine) as connection:
        return service.offers(connection, municipality, moment)[KIND]


@pytest.mark.parametrize(
    ("municipality", "first"),
    [(SHIMONOSEKI, "2012-07"), (UBE, "2016-07"), (HOFU, "2017-07"), (YAMAGUCHI, "2017-11")],
)
def test_yamaguchis_municipalities_open_at_the_first_second_of_their_month(
    participation_engine: Engine, municipality: str, first: str
) -> None:
    opening = read_moment(first)
    eve = offer(participation_engine, municipality, opening - timedelta(seconds=1))
    assert eve.reason is Refusal.NOT_YET_PARTICIPATING
    assert eve.opens_at == opening
    assert offer(participation_engine, municipality, opening).open


def test_on_the_day_of_the_source_document_yamaguchi_city_is_still_ahead(
    participation_engine: Engine,
) -> None:
    told = offer(participation_engine, YAMAGUCHI, "2017-08-15T10:00+09:00")
    assert told == Offer(
        open=False,
        reason=Refusal.NOT_YET_PARTICIPATING,
        opens_at=datetime.fromisoformat("2017-11-01T00:00+09:00"),
        fee=300,
    )
    assert offer(participation_engine, YAMAGUCHI, "2017-11-01T00:00+09:00").open


def test_who_never_decided_anything_does_not_take_part(participation_engine: Engine) -> None:
    assert offer(participation_engine, "352101", NOW).reason is Refusal.NOT_PARTICIPATING


def test_an_until_closes(participation_engine: Engine) -> None:
    assert offer(participation_engine, IWAKUNI, "2017-02-28").open
    assert offer(participation_engine, IWAKUNI, "2017-03").reason is Refusal.KIND_CLOSED


def test_all_prefectures_and_municipalities_are_loaded_and_again_without_harm(
    participation_engine: Engine,
) -> None:
    with transaction(participation_engine) as connection:
        assert service.load_municipalities(connection) == 47 + 1741
        assert service.municipality_name(connection, SHIMONOSEKI) == "山口県下関市"
        assert service.municipality_name(connection, "350001") == "山口県"


def test_participation_loaded_twice_is_there_once(
    participation_engine: Engine, yamaguchi: list[str]
) -> None:
    with transaction(participation_engine) as connection:
        assert service.load_participation(connection, yamaguchi) == 0
        assert len(service.history(connection, SHIMONOSEKI)) == 1


def test_a_municipality_is_found_by_code_name_or_full_name(participation_engine: Engine) -> None:
    with transaction(participation_engine) as connection:
        for text in (SHIMONOSEKI, "下関市", " 山口県下関市 "):
            assert service.find_municipality(connection, text).code == SHIMONOSEKI
        with pytest.raises(UnknownMunicipalityError, match=r"東京都府中市.*広島県府中市"):
            service.find_municipality(connection, "府中市")
        for nothing in ("", "352013", "どこでもない市"):
            with pytest.raises(UnknownMunicipalityError):
                service.find_municipality(connection, nothing)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("352013,residence-certificate,2012-07,,200", "352013"),
        ("352012,passport,2012-07,,200", "passport"),
        ("352012,residence-certificate,2012-13,,200", "no moment"),
        ("352012,residence-certificate,2012-07,2012-06,200", "not after"),
        ("352012,residence-certificate,2012-07,,-1", "fee"),
        ("352012,residence-certificate,2012-07,,free", "free"),
        ("352012", "line 2"),
    ],
)
def test_a_row_that_cannot_be_right_is_named_and_nothing_is_loaded(
    participation_engine: Engine, row: str, complaint: str
) -> None:
    lines = ["municipality,kind,from,until,fee\n", row + "\n"]
    with (
        pytest.raises(BadTableError, match=complaint),
        transaction(participation_engine) as connection,
    ):
        service.load_participation(connection, lines)


def test_a_switch_holds_from_its_moment_and_is_announced(
    participation_engine: Engine, announcer: HeardAnnouncer
) -> None:
    later = NOW + timedelta(hours=2)
    service.switch(
        participation_engine,
        announcer,
        SHIMONOSEKI,
        KIND,
        Wish(open=False, effective_from=later, fee=200),
        AUTHOR,
    )
    assert offer(participation_engine, SHIMONOSEKI, later - timedelta(seconds=1)).open
    assert offer(participation_engine, SHIMONOSEKI, later).reason is Refusal.KIND_CLOSED
    assert offer(participation_engine, UBE, later).open
    (event,) = announcer.events
    assert (event.kind, event.municipality) == (LineEventKind.PARTICIPATION_CHANGED, SHIMONOSEKI)


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        (Wish(open=False, effective_from=NOW - timedelta(minutes=1), fee=200), InThePastError),
        (Wish(open=True, effective_from=NOW, fee=200), NothingChangesError),
        (Wish(open=False, effective_from=NOW, fee=10_001), FeeOutOfRangeError),
        (Wish(open=False, effective_from=NOW, fee=-1), FeeOutOfRangeError),
    ],
)
def test_a_change_that_cannot_be_made_changes_nothing_and_tells_nobody(
    participation_engine: Engine,
    announcer: HeardAnnouncer,
    wish: Wish,
    error: type[ChangeRefusedError],
) -> None:
    with pytest.raises(error):
        service.switch(participation_engine, announcer, SHIMONOSEKI, KIND, wish, AUTHOR)
    assert offer(participation_engine, SHIMONOSEKI, NOW).open
    assert announcer.events == []


def test_who_saw_an_older_page_is_asked_to_look_again(
    participation_engine: Engine, announcer: HeardAnnouncer
) -> None:
    with transaction(participation_engine) as connection:
        seen = service.newest(service.history(connection, SHIMONOSEKI, KIND))
    off = Wish(open=False, effective_from=NOW, fee=200)
    service.switch(participation_engine, announcer, SHIMONOSEKI, KIND, off, AUTHOR, seen)
    with pytest.raises(ChangedMeanwhileError):
        service.undo(participation_engine, announcer, SHIMONOSEKI, KIND, AUTHOR, seen)
    assert not offer(participation_engine, SHIMONOSEKI, NOW).open


def test_undo_is_a_new_change_and_history_keeps_both(
    participation_engine: Engine, announcer: HeardAnnouncer
) -> None:
    off = Wish(open=False, effective_from=NOW, fee=200)
    service.switch(participation_engine, announcer, SHIMONOSEKI, KIND, off, AUTHOR)
    service.undo(participation_engine, announcer, SHIMONOSEKI, KIND, AUTHOR)
    assert offer(participation_engine, SHIMONOSEKI, NOW).open
    with transaction(participation_engine) as connection:
        rows = service.history(connection, SHIMONOSEKI, KIND)
    assert [row.open for row in rows] == [True, False, True]
    assert rows[-1].actor == "shimonoseki"


def test_where_nothing_was_decided_nothing_can_be_undone(
    participation_engine: Engine, announcer: HeardAnnouncer
) -> None:
    with pytest.raises(NothingToUndoError):
        service.undo(participation_engine, announcer, "352101", KIND, AUTHOR)


def test_the_lock_can_be_held_twice_in_one_transaction(participation_engine: Engine) -> None:
    with transaction(participation_engine) as connection:
        service.lock(connection, SHIMONOSEKI, KIND)
        service.lock(connection, SHIMONOSEKI, KIND)


def test_a_stop_waits_until_a_release_that_came_first_has_committed(
    participation_engine: Engine, announcer: HeardAnnouncer
) -> None:
    off = Wish(open=False, effective_from=NOW, fee=200)
    stop = threading.Thread(
        target=service.switch,
        args=(participation_engine, announcer, SHIMONOSEKI, KIND, off, AUTHOR),
    )
    with transaction(participation_engine) as releasing:
        service.lock(releasing, SHIMONOSEKI, KIND)
        stop.start()
        stop.join(0.3)
        assert stop.is_alive()
        assert service.offers(releasing, SHIMONOSEKI, NOW)[KIND].open
    stop.join(10)
    assert not offer(participation_engine, SHIMONOSEKI, NOW).open
