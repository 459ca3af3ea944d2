import stat
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from backend.issuer.sealing.errors import KeysMissingError
from backend.issuer.sealing.keys import init_keys, published_list, read_root, secret_file
from dedicated_line.clock import SystemEntropy
from dedicated_line.contract.key_list import read_key_list
from dedicated_line.errors import UsageError

ENTROPY = SystemEntropy()


def test_a_second_run_changes_nothing(town: Any) -> None:
    before = town.places.key_list.read_bytes()
    assert not init_keys(town.places, ["352012"], town.now, ENTROPY).new
    assert town.places.key_list.read_bytes() == before


def test_another_municipality_makes_the_next_version_and_keeps_the_first(town: Any) -> None:
    published = init_keys(town.places, ["352021"], town.now, ENTROPY)
    assert published.keys.version == 2
    assert [key.key_id for key in published.keys.keys] == [
        "352012-envelope-1",
        "352012-seal-1",
        "352021-envelope-1",
        "352021-seal-1",
    ]


def test_a_lost_key_gets_a_successor_and_stays_listed_for_old_paper(town: Any) -> None:
    from dedicated_line.contract.key_list import KeyUse

    town.places.of("352012", KeyUse.SEAL).unlink()
    published = init_keys(town.places, ["352012"], town.now, ENTROPY)
    assert [key.key_id for key in published.keys.keys] == [
        "352012-envelope-1",
        "352012-seal-1",
        "352012-seal-2",
    ]


def test_a_list_that_is_about_to_expire_is_published_anew(town: Any) -> None:
    later = town.now + timedelta(days=340)
    published = init_keys(town.places, ["352012"], later, ENTROPY)
    assert published.new
    assert published.keys.version == 2
    assert published.keys.expires_at > later + timedelta(days=364)


def test_the_list_is_good_a_little_before_it_was_made(town: Any) -> None:
    data, root = town.places.key_list.read_bytes(), read_root(town.places.root_public)
    assert read_key_list(data, root, town.now - timedelta(minutes=10)).version == 1


def test_a_list_of_another_root_is_not_built_upon(town: Any) -> None:
    town.places.root.unlink()
    town.places.root_public.unlink()
    with pytest.raises(KeysMissingError, match="not signed by"):
        init_keys(town.places, ["352012"], town.now, ENTROPY)


def test_a_pinned_root_is_never_replaced(town: Any) -> None:
    town.places.root.unlink()
    with pytest.raises(UsageError, match="is not the public key"):
        init_keys(town.places, ["352012"], town.now, ENTROPY)


def test_without_a_list_nothing_is_published(town: Any) -> None:
    town.places.key_list.unlink()
    assert published_list(town.places) is None
    assert not town.issuer.keys.ready(town.now)


def test_a_secret_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "issuer" / "master.key"
    secret = secret_file(file, 32, ENTROPY)
    assert secret_file(file, 32, ENTROPY) == secret
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["master.key"]


@pytest.mark.parametrize("content", ["", "00", "zz" * 32])
def test_a_damaged_secret_is_never_replaced(tmp_path: Path, content: str) -> None:
    file = tmp_path / "master.key"
    file.write_text(content)
    with pytest.raises(KeysMissingError):
        secret_file(file, 32, ENTROPY)
    assert file.read_text() == content
