"""The migrations make exactly the tables that the subjects describe, on both databases."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, MetaData, inspect

from backend.database import DatabaseDownError, open_database
from backend.migrations.metadata import centre_tables, issuer_tables
from backend.settings import BackendSettings
from backend.web.schema import (
    Database,
    NotMigratedError,
    head,
    migrate,
    migrate_all,
    migration_names,
    require_migrated,
    upgrade,
)

_NO_LAYOUT = re.compile(r"[()\s]")
_POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def _as_postgres(*command: str | Path) -> None:
    user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*user, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[Path]:
    """The folder of a PostgreSQL of this module's own."""
    with tempfile.TemporaryDirectory(prefix="kofu-pg-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data, tools = folder / "data", _POSTGRES[-1]
        _as_postgres(tools / "initdb", "-D", data, "-A", "trust", "--no-sync", "-E", "UTF8")
        options = f"-k {folder} -c listen_addresses= -c fsync=off"
        log = folder / "log"
        _as_postgres(tools / "pg_ctl", "-D", data, "-w", "-l", log, "-o", options, "start")
        for database in ("migrated_centre", "described_centre", "migrated_issuer"):
            _as_postgres(tools / "createdb", "-h", folder, database)
        _as_postgres(tools / "createdb", "-h", folder, "described_issuer")
        try:
            yield folder
        finally:
            _as_postgres(tools / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _metadata(database: Database) -> MetaData:
    return centre_tables() if database is Database.CENTRE else issuer_tables()


def _constraints(engine: Engine) -> dict[str, set[str]]:
    """Return the CHECK constraints of every table, which Alembic itself does not compare."""
    inspector = inspect(engine)
    return {
        table: {
            f"{check['name']}: {_NO_LAYOUT.sub('', check['sqltext'])}"
            for check in inspector.get_check_constraints(table)
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def _compare(migrated: Engine, described: Engine, database: Database) -> None:
    upgrade(migrated, database)
    metadata = _metadata(database)
    metadata.create_all(described)
    with migrated.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
    assert _constraints(migrated) == _constraints(described)
    migrated.dispose()
    described.dispose()


@pytest.mark.parametrize("database", list(Database))
def test_on_sqlite_the_migrations_make_what_is_described(
    database: Database, tmp_path: Path
) -> None:
    migrated = open_database(f"sqlite:///{tmp_path / 'migrated.db'}")
    _compare(migrated, open_database(f"sqlite:///{tmp_path / 'described.db'}"), database)


@pytest.mark.sockets
@pytest.mark.parametrize("database", list(Database))
def test_on_postgresql_the_migrations_make_what_is_described(
    database: Database, own_postgres: Path
) -> None:
    url = f"postgresql+psycopg://postgres@/{{}}_{database.value}?host={own_postgres}"
    _compare(
        open_database(url.format("migrated")), open_database(url.format("described")), database
    )


def test_a_second_run_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # from any working directory
    settings = BackendSettings(var=tmp_path / "new" / "var")
    migrate_all(settings)
    assert migrate(settings, Database.CENTRE) == head(Database.CENTRE)
    assert migrate(settings, Database.ISSUER) == head(Database.ISSUER)


def test_a_database_of_another_release_is_not_served(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'centre.db'}")
    with pytest.raises(NotMigratedError, match="kofu-backend migrate"):
        require_migrated(engine, Database.CENTRE)
    upgrade(engine, Database.CENTRE)
    require_migrated(engine, Database.CENTRE)
    engine.dispose()


def test_a_database_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, no folder")
    with pytest.raises(DatabaseDownError, match="KOFU_VAR"):
        migrate(BackendSettings(var=tmp_path / "var"), Database.CENTRE)


def test_every_revision_has_a_name() -> None:
    assert {name.split("/")[0] for name in migration_names()} == {"centre", "issuer"}
