"""``kofu-backend serve | migrate | kiosks``."""

from pathlib import Path

import click

AUDIENCES = ("kiosk-api", "municipality", "operators")


@click.command()
@click.argument("audience", type=click.Choice(AUDIENCES))
def serve(audience: str) -> None:
    """Serve one audience until SIGTERM: kiosk-api, municipality or operators.

    Each is a listener and a process of its own, so that a browser can never reach the kiosk API:
    that one listens on a Unix socket behind the line, the consoles on 127.0.0.1
    (KOFU_MUNICIPALITY_PORT, KOFU_OPERATORS_PORT). KOFU_WORKERS and KOFU_THREADS say how many
    requests are served at once.
    """
    from backend.bootstrap import centre_engine, listener
    from backend.settings import BackendSettings
    from backend.web.serving import run_gunicorn

    settings = BackendSettings.load()
    centre_engine(settings).dispose()
    factory, bind = listener(settings, audience)
    run_gunicorn(factory, bind, settings, audience)


@click.command()
@click.argument("database", type=click.Choice(["centre", "issuer"]), required=False)
def migrate(database: str | None) -> None:
    """Make the databases, or bring them to this release's schema; both, or the one named.

    A second run changes nothing. KOFU_CENTRE_DATABASE and KOFU_ISSUER_DATABASE are SQLAlchemy
    URLs; without them, both are SQLite files in the state folder.
    """
    from backend.settings import BackendSettings
    from backend.web.schema import Database, migrate

    settings = BackendSettings.load()
    for one in [Database(database)] if database else list(Database):
        click.echo(f"{one.value}: {migrate(settings, one)}")


@click.group()
def kiosks() -> None:
    """Look after the centre's own list of kiosks."""


@kiosks.command("load")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def kiosks_load(file: Path | None) -> None:
    """Take over the line's register (FILE, or line/register.json in the state folder).

    A kiosk that is no longer listed goes out of service.
    """
    from pydantic import ValidationError

    from backend.bootstrap import centre_engine
    from backend.database import transaction
    from backend.kiosks.service import load_register
    from backend.settings import BackendSettings
    from dedicated_line.contract.line import CircuitRegister
    from dedicated_line.errors import UsageError

    settings = BackendSettings.load()
    path = file or settings.state / "line" / "register.json"
    try:
        register = CircuitRegister.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(
            f"cannot read {path} ({error.strerror}); enrol a kiosk with 'kofu-line kiosk add'"
        ) from None
    except ValidationError as error:
        raise UsageError(
            f"{path} is no register of circuits ({error.error_count()} faults); "
            "enrol the kiosks again with 'kofu-line kiosk add'"
        ) from None
    engine = centre_engine(settings)
    with transaction(engine) as connection:
        count = load_register(connection, register)
    engine.dispose()
    click.echo(f"{count} kiosks")


@kiosks.command("list")
def kiosks_list() -> None:
    """List the kiosks that the centre knows."""
    from backend.bootstrap import centre_engine
    from backend.database import transaction
    from backend.kiosks.service import kiosks as all_kiosks
    from backend.settings import BackendSettings

    engine = centre_engine(BackendSettings.load())
    with transaction(engine) as connection:
        for kiosk in all_kiosks(connection):
            state = "in service" if kiosk.in_service else "out of service"
            click.echo(f"{kiosk.id}  {kiosk.circuit:<15}  {state:<14}  {kiosk.name}")
    engine.dispose()
