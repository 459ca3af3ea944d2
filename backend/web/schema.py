"""Bring the databases to the newest schema: Alembic, from any working directory."""

from enum import StrEnum
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import OperationalError

import backend.migrations
from backend.database import DatabaseDownError, open_database, transaction
from backend.settings import BackendSettings
from dedicated_line.errors import KofuError

_FOLDER: Final = Path(backend.migrations.__file__).parent


class NotMigratedError(KofuError):
    """The database has not the schema that this release needs."""


class Database(StrEnum):
    """Whose database."""

    CENTRE = "centre"
    ISSUER = "issuer"


def _config(database: Database) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER / database.value))
    config.set_main_option("path_separator", "os")
    return config


def head(database: Database) -> str | None:
    """Return the newest revision of a database's schema."""
    return ScriptDirectory.from_config(_config(database)).get_current_head()


def current(connection: Connection) -> str | None:
    """Return the revision that a database has; None when it has none."""
    return MigrationContext.configure(connection).get_current_revision()


def migration_names() -> list[str]:
    """Return the names of all revisions, of both databases."""
    return sorted(
        f"{database.value}/{revision.revision}"
        for database in Database
        for revision in ScriptDirectory.from_config(_config(database)).walk_revisions()
    )


def upgrade(engine: Engine, database: Database) -> str | None:
    """Bring one database to its newest schema; return the revision. A second run does nothing."""
    with transaction(engine) as connection:
        config = _config(database)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        return current(connection)


def url_of(settings: BackendSettings, database: Database) -> str:
    """Return where a database is."""
    match database:
        case Database.CENTRE:
            return settings.centre_database_url
        case Database.ISSUER:
            return settings.issuer_database_url


def migrate(settings: BackendSettings, database: Database) -> str | None:
    """Make the database's folder where it is a file, and bring it to its newest schema."""
    url = make_url(url_of(settings, database))
    if url.get_backend_name() == "sqlite" and url.database:
        folder = Path(url.database).parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseDownError(
                f"cannot make the folder {folder} ({error.strerror}); "
                "set KOFU_VAR to a folder that can be written"
            ) from error
    engine = open_database(url)
    try:
        return upgrade(engine, database)
    finally:
        engine.dispose()


def migrate_all(settings: BackendSettings) -> None:
    """Bring both databases to their newest schema."""
    for database in Database:
        migrate(settings, database)


def require_migrated(engine: Engine, database: Database) -> None:
    """Raise NotMigratedError unless the database has this release's schema."""
    try:
        with engine.connect() as connection:
            found = current(connection)
    except OperationalError as error:
        raise DatabaseDownError(
            f"the {database.value}'s database does not answer; "
            "start it, or make it with 'kofu-backend migrate'"
        ) from error
    if found != head(database):
        raise NotMigratedError(
            f"the {database.value}'s database is not of this release; run 'kofu-backend migrate'"
        )
