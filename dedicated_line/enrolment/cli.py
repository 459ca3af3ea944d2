"""``kofu-line ca`` and ``kofu-line kiosk``."""

import click

HELP = {"help_option_names": ["-h", "--help"]}


@click.group(context_settings=HELP)
def ca() -> None:
    """Keep the line's own certificate authority."""


@ca.command("init", context_settings=HELP)
def ca_init() -> None:
    """Make the line's CA and the certificate of its centre end, unless they are there.

    The files lie in the folder "line" of the state folder (KOFU_VAR).
    """
    from dedicated_line.bootstrap import enrolment

    part = enrolment()
    made = part.init_ca()
    click.echo(f"{'made' if made else 'already there'}: the line's CA in {part.line}")


@click.group(context_settings=HELP)
def kiosk() -> None:
    """Enrol kiosks on circuits, list them, take them out of service."""


@kiosk.command("add", context_settings=HELP)
@click.argument("kiosk_id", metavar="KIOSK")
@click.option("--circuit", required=True, help="Source address of its circuit, as in 127.1.0.1.")
@click.option("--name", default="", help="Where it stands, for people.")
@click.option("--again", is_flag=True, help="Give a kiosk that is enrolled new keys.")
def kiosk_add(kiosk_id: str, circuit: str, name: str, *, again: bool) -> None:
    """Enrol KIOSK (such as k000001) on a circuit and write its keys and certificates.

    A kiosk that is in service on this circuit already stays as it is.
    """
    from dedicated_line.bootstrap import enrolment

    part = enrolment()
    made = part.add_kiosk(kiosk_id, circuit, name, again=again)
    word = "enrolled" if made else "already enrolled"
    click.echo(f"{word}: {kiosk_id} on circuit {circuit}, files in {part.kiosks / kiosk_id}")


@kiosk.command("list", context_settings=HELP)
def kiosk_list() -> None:
    """List all kiosks with circuit, service and name."""
    from dedicated_line.bootstrap import enrolment

    for entry in enrolment().register().kiosks:
        service = "in service" if entry.in_service else "revoked"
        click.echo(f"{entry.kiosk}  {entry.circuit:<15}  {service:<10}  {entry.name}".rstrip())


@kiosk.command("revoke", context_settings=HELP)
@click.argument("kiosk_id", metavar="KIOSK")
def kiosk_revoke(kiosk_id: str) -> None:
    """Take KIOSK out of service; its next request is refused, on open connections as well."""
    from dedicated_line.bootstrap import enrolment

    revoked = enrolment().revoke(kiosk_id)
    click.echo(f"{'revoked' if revoked else 'already revoked'}: {kiosk_id}")
