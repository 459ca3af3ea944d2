"""One system of today a worker, for all tests that leave it as they found it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import Running
from systems import running_system


@pytest.fixture(scope="session", autouse=True)
def _only_what_a_user_has() -> Iterator[None]:
    """Leave no KOFU_ variable of the caller in the environment."""
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("KOFU_")}
    yield
    os.environ.update(before)


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of worlds, which all workers of this run share."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    place = shared / "worlds"
    place.mkdir(exist_ok=True)
    return place


@pytest.fixture(scope="session")
def system(worlds: Path) -> Iterator[Running]:
    """Give one system of today for all tests of a worker that leave it as they found it."""
    with running_system(worlds) as started:
        yield started
