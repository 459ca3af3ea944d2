"""``kofu-backend staff``: who may log in at the consoles."""

import sys
from pathlib import Path

import click

from backend.staff.model import DEMO_CHARACTERS, Role, written_password
from dedicated_line.errors import UsageError

DEMO_FILE = "demo-passwords.txt"
DEMO_ACCOUNTS = (
    ("shimonoseki", Role.MUNICIPAL, "352012"),
    ("yamaguchi", Role.MUNICIPAL, "352039"),
    ("operator", Role.OPERATOR, None),
)


@click.group()
def staff() -> None:
    """Keep the accounts of municipal staff and operators."""


@staff.command()
@click.argument("login")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--municipality", help="Code or name; for municipal staff.")
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Its first line is the password; asked for when not given.",
)
def add(login: str, role: str, municipality: str | None, password_file: Path | None) -> None:
    """Make the account LOGIN, or give it a new password; its open sessions end."""
    from backend.database import transaction
    from backend.participation.service import find_municipality
    from backend.staff import service
    from backend.web.bootstrap import centre_parts

    if password_file is None:
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        try:
            password = password_file.read_text("utf-8").partition("\n")[0]
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the password from {password_file}: {error}") from None
    parts = centre_parts()
    with transaction(parts.engine) as connection:
        code = find_municipality(connection, municipality).code if municipality else None
        service.add(
            connection,
            parts.passwords,
            login=login,
            role=Role(role),
            municipality=code,
            password=password,
            at=parts.clock.real_now(),
        )
    click.echo(f"{login} can log in as {role}{f' of {code}' if code else ''}")


@staff.command()
def demo() -> None:
    """Make the demo accounts anew, each with a random password that is printed (simulation)."""
    from backend.database import transaction
    from backend.staff import service
    from backend.staff.console_key import write_private
    from backend.web.bootstrap import centre_parts

    parts = centre_parts()
    if not parts.simulation:
        raise UsageError("demo accounts are for simulation; make real ones: kofu-backend staff add")
    sys.stderr.write("SIMULATED staff with printed passwords: not for production\n")
    lines = []
    with transaction(parts.engine) as connection:
        for login, role, municipality in DEMO_ACCOUNTS:
            password = written_password(parts.entropy.token(DEMO_CHARACTERS))
            service.add(
                connection,
                parts.passwords,
                login=login,
                role=role,
                municipality=municipality,
                password=password,
                at=parts.clock.real_now(),
            )
            lines.append(f"{login:<12} {password}")
    file = parts.state / DEMO_FILE
    write_private(file, ("\n".join(lines) + "\n").encode())
    for line in lines:
        click.echo(line)
    click.echo(f"written to {file}")
