"""A centre's database in memory with all municipalities, and Yamaguchi's participation."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backend.database import centre_metadata, open_database, transaction
from backend.participation import service, store

YAMAGUCHI = """municipality,kind,from,until,fee
352012,residence-certificate,2012-07,,200
352021,residence-certificate,2016-07,,200
352063,residence-certificate,2017-07,,200
352039,residence-certificate,2017-11,,300
352080,residence-certificate,2015-04,2017-03,200
""".splitlines(keepends=True)


@pytest.fixture
def yamaguchi() -> list[str]:
    return YAMAGUCHI


@pytest.fixture
def participation_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{tmp_path / 'centre.db'}")
    tables = [store.municipality_table, store.change_table, store.lock_table]
    centre_metadata.create_all(engine, tables=tables)
    with transaction(engine) as connection:
        service.load_municipalities(connection)
        service.load_participation(connection, YAMAGUCHI)
    yield engine
    engine.dispose()
