"""Reading does not wait for a writer, and sees one consistent state."""

from pathlib import Path

import pytest
from sqlalchemy import text

from backend.database import DatabaseDownError, open_database, reading, transaction


def test_a_reader_goes_on_while_somebody_writes(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    with transaction(engine) as connection:
        connection.execute(text("create table t (n integer)"))
        connection.execute(text("insert into t values (1)"))
    with transaction(engine) as writer:
        writer.execute(text("update t set n = 2"))
        with reading(engine) as reader:
            assert reader.execute(text("select n from t")).scalar_one() == 1
    with reading(engine) as reader:
        assert reader.execute(text("select n from t")).scalar_one() == 2
    engine.dispose()


def test_a_connection_that_has_read_writes_alone_afterwards(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.db'}")
    begun: list[str] = []
    with reading(engine) as connection:
        connection.execute(text("select 1"))
    with transaction(engine) as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.set_trace_callback(begun.append)
    with transaction(engine) as connection:
        connection.execute(text("select 1"))
    assert "BEGIN IMMEDIATE" in begun
    engine.dispose()


def test_a_database_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'no' / 'x.db'}")
    with pytest.raises(DatabaseDownError, match="does not answer"), reading(engine):
        pass
    engine.dispose()
