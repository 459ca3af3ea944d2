"""Bad input of every kind ends in one clear sentence, a non-zero exit and true books."""

import resource
import socket
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from running import Running
from systems import journey, paused, running_system

SEALED = "order, compose and seal"
NOT_PRINTED = {"refused", "abandoned", "spoiled"}
NOT_KEPT = {"none", "due", "refunded"}
END_SECONDS = 60


def _start(system: Running, *words: str, **settings: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        words,
        env={**system.environment, **settings},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _run(system: Running, *words: str, **settings: str) -> tuple[int, str, str]:
    """Run a command to its end; return its code, what it said, and its one sentence."""
    with _start(system, *words, **settings) as command:
        out, err = command.communicate(timeout=END_SECONDS)
    assert "Traceback" not in out + err
    said = [line for line in err.splitlines() if "SIMULATED" not in line]
    assert len(said) <= 1, err
    return command.returncode, out, "".join(said)


def _walk_up(system: Running, *more: str, **settings: str) -> tuple[int, str, str]:
    words = ("kofu-kiosk", "journey", "shimonoseki-taro", "--card", system.card, *more)
    return _run(system, *words, **settings)


def _issues(system: Running) -> dict[tuple[str, int], tuple[str, str]]:
    """Return state and money of every issue in the ledger."""
    ledger = sqlite3.connect(f"file:{system.state / 'centre.db'}?mode=ro", uri=True)
    try:
        rows = ledger.execute('select "order", place, state, money from issue').fetchall()
    finally:
        ledger.close()
    return {(order, place): (state, money) for order, place, state, money in rows}


def _paper(system: Running) -> set[Path]:
    return set((system.state / "printers" / "k000002").glob("*"))


@contextmanager
def _nothing_half_done(system: Running) -> Iterator[None]:
    """Let no paper come out meanwhile, and no order stay open or keep money."""
    issues, paper = _issues(system), _paper(system)
    yield
    for issue, (state, money) in _issues(system).items():
        if issue not in issues:
            assert (state in NOT_PRINTED, money in NOT_KEPT) == (True, True), (state, money)
    assert _paper(system) == paper


def _nobody_listens_there() -> str:
    """Return a port that is free on every address of loopback."""
    with socket.socket() as probe:
        probe.bind(("0.0.0.0", 0))  # noqa: S104 - bound for a moment, never listened on
        return str(probe.getsockname()[1])


@pytest.mark.sockets
def test_three_wrong_pins_block_the_card_and_the_right_one_comes_too_late(system: Running) -> None:
    card = system.state / "cards" / "shimonoseki-taro.json"
    as_found = card.read_bytes()
    try:
        with _nothing_half_done(system):
            said = [_walk_up(system, "--pin", "0000", "--use-last-try") for _ in range(3)]
            said.append(_walk_up(system))
    finally:
        card.write_bytes(as_found)
    assert [code for code, _, _ in said] == [3, 3, 3, 3]
    assert "2 tries are left" in said[0][1]
    assert "One more wrong PIN locks the card" in said[1][1]
    for blocked in said[2:]:
        assert "refused: pin-blocked" in blocked[1]
        assert "Have it set again at your municipal office." in blocked[1]


@pytest.mark.sockets
def test_an_unknown_persona_is_answered_with_near_names(system: Running) -> None:
    code, _, sentence = _run(system, "kofu-kiosk", "journey", "shimonoseki-tarou")
    assert code == 2
    assert "near it are shimonoseki-taro" in sentence
    code, _, sentence = _run(system, "kofu-kiosk", "journey", "../jpki/index")
    assert code == 2
    assert "there is no persona '../jpki/index'" in sentence


@pytest.mark.sockets
def test_pages_that_cannot_be_kept_are_said_before_anything_is_ordered(
    system: Running, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("not a folder")
    before = _issues(system)
    code, _, sentence = _walk_up(system, "--keep-pages", str(tmp_path / "file" / "pages"))
    assert code == 2
    assert "give --keep-pages another folder" in sentence
    assert _issues(system) == before


@pytest.mark.sockets
def test_a_printer_that_is_off_is_said_before_any_money(system: Running) -> None:
    with _nothing_half_done(system):
        code, said, sentence = _walk_up(system, KOFU_PRINTER_PORT=_nobody_listens_there())
    assert code == 1
    assert "paid" not in said
    assert "The printer is not ready. Nothing is charged." in sentence
    assert "check that it is on and connected" in sentence


@pytest.mark.sockets
def test_a_line_that_is_down_is_said_and_nothing_is_ordered(system: Running) -> None:
    before = _issues(system)
    code, _, sentence = _walk_up(system, KOFU_WIRE_PORT=_nobody_listens_there())
    assert code == 1
    assert "The centre cannot be reached. Please try again later." in sentence
    assert _issues(system) == before


@pytest.mark.sockets
def test_without_redis_no_session_opens_and_with_it_the_next_one_does(system: Running) -> None:
    place = system.state / "run" / "redis.sock"
    away = place.with_name("away.sock")
    server = redis.Redis(unix_socket_path=str(place))
    place.rename(away)
    try:
        server.close()
        _cut_clients(away)
        with _nothing_half_done(system):
            code, _, sentence = _walk_up(system)
    finally:
        away.rename(place)
    assert code == 1
    assert "try again later" in sentence
    assert _walk_up(system)[0] == 0


def _cut_clients(place: Path) -> None:
    server = redis.Redis(unix_socket_path=str(place))
    server.client_kill_filter(_type="normal", skipme=True)
    server.close()


@pytest.mark.sockets
def test_a_silent_validity_centre_confirms_nobody(system: Running) -> None:
    with _nothing_half_done(system), paused(system.pids["jpki-centre"]):
        code, said, _ = _walk_up(system)
    assert code == 3
    assert "refused: cannot-confirm" in said


@pytest.mark.sockets
def test_a_disk_that_fills_up_ends_the_journey_and_the_next_one_settles_it(
    system: Running,
) -> None:
    before = _issues(system)
    words = ("kofu-kiosk", "journey", "shimonoseki-taro", "--card", system.card)
    with _start(system, *words) as person:
        assert person.stdout is not None
        assert person.stderr is not None
        for line in person.stdout:
            if line.startswith(SEALED):
                resource.prlimit(person.pid, resource.RLIMIT_FSIZE, (0, 0))
        sentences = person.stderr.read()
    assert person.returncode == 1
    assert "The kiosk's journal cannot be written, so nothing is issued." in sentences
    assert "free the disk or its permissions" in sentences

    assert journey(system, "shimonoseki-taro").returncode == 0
    new = [books for issue, books in _issues(system).items() if issue not in before]
    assert new.count(("printed", "kept")) == 1
    new.remove(("printed", "kept"))
    assert {state for state, _ in new} <= NOT_PRINTED


@pytest.mark.sockets
def test_whoever_is_started_a_second_time_says_so_and_disturbs_nobody(system: Running) -> None:
    seconds = {
        name: _start(system, *words.split())
        for name, words in {
            "jpki-centre": "kofu-backend jpki-centre",
            "issuer": "kofu-backend issuer",
            "kiosk-api": "kofu-backend serve kiosk-api",
            "municipality": "kofu-backend serve municipality",
            "operators": "kofu-backend serve operators",
            "line": "kofu-line serve",
            "wire": "kofu-line wire",
            "printer": "kofu-printer emulate",
            "kiosk": "kofu-kiosk run",
        }.items()
    }
    for name, second in seconds.items():
        out, err = second.communicate(timeout=END_SECONDS)
        said = [line for line in err.splitlines() if "SIMULATED" not in line]
        assert second.returncode != 0, f"{name}: {out}"
        assert len(said) == 1, f"{name}: {err}"
        assert any(word in said[0] for word in ("taken", "listens", "another process", "in use"))
    assert _walk_up(system)[0] == 0


@pytest.mark.sockets
@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"KOFU_NOW": "2017-08-15T10:00"}, "write a time with its offset"),
        (
            {"KOFU_NOW": "2017-08-15T10:00+09:00", "KOFU_ENVIRONMENT": "production"},
            "refused in production",
        ),
    ],
)
def test_every_command_refuses_a_time_that_cannot_be(
    settings: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    idle = Running(var=tmp_path, card="in-process")
    idle.prepare()
    started = [
        _start(idle, *words.split(), **settings)
        for words in (
            "kofu-kiosk journey shimonoseki-taro",
            "kofu-backend orders list",
            "kofu-line serve",
        )
    ]
    for command in started:
        _, err = command.communicate(timeout=END_SECONDS)
        assert command.returncode == 2, err
        assert sentence in err
        assert len(err.splitlines()) == 1, err


@pytest.mark.sockets
def test_a_folder_that_cannot_be_written_is_named_by_whoever_needs_it(tmp_path: Path) -> None:
    idle = Running(var=tmp_path, card="in-process")
    idle.prepare()
    (tmp_path / "file").write_text("not a folder")
    nowhere = str(tmp_path / "file" / "var")
    started = [
        _start(idle, *words.split(), KOFU_VAR=nowhere, KOFU_ENVIRONMENT="simulation")
        for words in (
            "kofu-line ca init",
            "kofu-backend migrate",
            "kofu-backend world load",
            "kofu-backend jpki-centre",
            "kofu-printer emulate",
        )
    ]
    for command in started:
        _, err = command.communicate(timeout=END_SECONDS)
        said = [line for line in err.splitlines() if "SIMULATED" not in line]
        assert command.returncode in {1, 2}, err
        assert len(said) == 1, err
        assert "Not a directory" in said[0] or nowhere in said[0], said


@pytest.mark.pcscd
def test_no_reader_no_service_and_no_card_are_three_sentences(worlds: Path) -> None:
    with running_system(worlds, card="pcscd") as system, _nothing_half_done(system):
        code, _, sentence = _walk_up(system, "--kiosk", "k000003")
        assert code == 1
        assert "reader" in sentence
        code, _, sentence = _walk_up(system, PCSCLITE_CSOCK_NAME="/nowhere/pcscd.comm")
        assert code == 1
        assert "pcscd" in sentence
        code, _, sentence = _run(system, "kofu-kiosk", "card", "show", "--slot", "1")
        assert code == 1
        assert "hold up a card" in sentence
