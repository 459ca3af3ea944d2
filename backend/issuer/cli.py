"""``kofu-backend issuer | keys | register``: the issuing server, its keys, its residents."""

from pathlib import Path

import click

from dedicated_line.errors import Exit


@click.command()
def issuer() -> None:
    """Run the issuing server on its Unix socket until SIGTERM.

    It knows the residents of the municipalities hosted here, verifies each card and order itself,
    and signs with their keys. It needs a register ('register import'), keys ('keys init') and the
    trusted CAs of the card.
    """
    from backend.issuer.bootstrap import serve
    from backend.settings import BackendSettings

    serve(BackendSettings.load())


@click.group()
def keys() -> None:
    """Make, publish and show the keys that envelopes and paper are signed with."""


@keys.command("init")
@click.option(
    "--municipality",
    "municipalities",
    multiple=True,
    metavar="CODE",
    help="Six-digit code; may be repeated. Without it: all municipalities hosted here.",
)
def keys_init(municipalities: tuple[str, ...]) -> None:
    """Make missing keys and publish the key list; a second run changes nothing.

    The offline root is made when there is none; each municipality gets a key for envelopes and one
    for paper. The list is signed by the root, has the next version and expires after a year.
    """
    from backend.issuer.bootstrap import publish_keys
    from backend.settings import BackendSettings
    from dedicated_line.contract.municipality import is_municipality_code

    for code in municipalities:
        if not is_municipality_code(code):
            raise click.BadParameter(f"{code} is no municipality code with its check digit")
    settings = BackendSettings.load()
    published = publish_keys(settings, municipalities)
    click.echo(
        f"key list {published.keys.version}: {len(published.keys.keys)} keys, "
        f"{'published' if published.new else 'unchanged'}: {settings.key_list}"
    )


@keys.command("show")
def keys_show() -> None:
    """Show the published key list."""
    from rich.console import Console
    from rich.table import Table

    from backend.issuer.bootstrap import key_places
    from backend.issuer.sealing.keys import published_list
    from backend.settings import BackendSettings
    from dedicated_line.errors import UsageError

    published = published_list(key_places(BackendSettings.load()))
    if published is None:
        raise UsageError("no key list is published yet; run 'kofu-backend keys init'")
    table = Table("key", "use", "from", "until", "not trusted after")
    for key in published.keys:
        stop = key.not_trusted_after
        table.add_row(
            key.key_id,
            key.use.value,
            key.valid_from.date().isoformat(),
            key.valid_until.date().isoformat(),
            stop.isoformat(timespec="minutes") if stop else "",
        )
    console = Console()
    console.print(
        f"version {published.version}, "
        f"issued {published.issued_at.isoformat(timespec='minutes')}, "
        f"expires {published.expires_at.isoformat(timespec='minutes')}"
    )
    console.print(table)


@click.group()
def register() -> None:
    """Load residents into the issuing server, and show what it holds."""


@register.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
def register_import(file: Path) -> int:
    """Bring the register to what FILE says: a whole load (docs/register-format.md).

    Every refused line is reported with its reason, and the command then ends with 1.
    """
    from rich.console import Console
    from rich.progress import open as open_with_progress

    from backend.issuer.bootstrap import open_register
    from backend.issuer.register.service import import_records
    from backend.settings import BackendSettings

    opened = open_register(BackendSettings.load())
    bar = Console(stderr=True)
    with open_with_progress(
        file, "rb", description="import", transient=True, console=bar, disable=not bar.is_terminal
    ) as lines:
        report = import_records(opened.engine, lines, opened.vault, opened.clock.now())
    for number, reason in report.refused:
        click.echo(f"{file}:{number}: {reason}", err=True)
    if report.damaged:
        click.echo(
            f"security: {report.damaged} stored records were not what had been stored and were "
            "replaced; find out who changed the database",
            err=True,
        )
    click.echo(
        f"{report.accepted} lines accepted, {len(report.refused)} refused; written: "
        f"{report.households} households, {report.residents} residents; "
        f"removed: {report.removed} residents"
    )
    return Exit.FAULT if report.refused or report.damaged else Exit.SERVED


@register.command("show")
def register_show() -> None:
    """Show the municipalities hosted here, how many residents and how fresh: no names."""
    from rich.console import Console
    from rich.table import Table

    from backend.issuer.bootstrap import open_register
    from backend.issuer.register.service import summaries
    from backend.settings import BackendSettings

    opened = open_register(BackendSettings.load())
    table = Table("code", "name", "households", "residents", "as of", "fresh")
    for summary in summaries(opened.engine, opened.vault, opened.clock.now()):
        table.add_row(
            summary.municipality.code,
            summary.municipality.full_name,
            str(summary.households),
            str(summary.residents),
            summary.municipality.register_as_of.strftime("%Y-%m-%d %H:%MZ"),
            "yes" if summary.fresh else "no",
        )
    Console().print(table)
