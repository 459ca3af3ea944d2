"""``kofu-backend jpki-centre`` and ``kofu-backend jpki``: the simulated national JPKI centre."""

import re
from typing import TYPE_CHECKING, Final

import click

from dedicated_line.errors import UsageError

if TYPE_CHECKING:
    from backend.simulated.jpki import JpkiCentre
    from backend.simulated.status_list import Issued

REASONS: Final = (
    "unspecified",
    "keyCompromise",
    "affiliationChanged",
    "superseded",
    "cessationOfOperation",
)
_SERIAL: Final = re.compile(r"[0-9a-f]{32}")


@click.command("jpki-centre")
def jpki_centre() -> None:
    """Run the simulated national JPKI centre: OCSP and CRLs on 127.0.0.1:KOFU_JPKI_PORT.

    CAs that are missing are made in KOFU_VAR/jpki, and the trusted ones published in
    KOFU_VAR/trust/jpki. Refused in production.
    """
    from backend.simulated.bootstrap import make_app, open_jpki_centre, simulation_settings, warn
    from backend.web.serving import run_gunicorn

    settings = simulation_settings()
    warn(settings)
    open_jpki_centre(settings).close()  # keys are made once, before workers start
    bind = f"127.0.0.1:{settings.jpki_port}"
    run_gunicorn(lambda: make_app(settings), bind, settings, "jpki-centre")


@click.group()
def jpki() -> None:
    """Revoke, hold and show certificates of the simulated national JPKI centre."""


@jpki.command()
@click.argument("who", metavar="PERSONA|SERIAL")
@click.option(
    "--reason", type=click.Choice(REASONS), default=REASONS[0], show_default=True, help="Why."
)
def revoke(who: str, reason: str) -> None:
    """Revoke for ever: both certificates of a PERSONA, or the one with a SERIAL (hexadecimal)."""
    from backend.simulated.jpki import Reason

    centre = _centre()
    for one in _certificates(centre, who):
        _show(centre.revoke(one.serial, Reason(reason)))


@jpki.command()
@click.argument("who", metavar="PERSONA|SERIAL")
def hold(who: str) -> None:
    """Put on hold (a card reported lost): it cannot be used, and is never lifted."""
    centre = _centre()
    for one in _certificates(centre, who):
        _show(centre.hold(one.serial))


@jpki.command()
@click.argument("who", metavar="[PERSONA|SERIAL]", required=False)
def show(who: str | None) -> None:
    """Show the certificates of a PERSONA, the one with a SERIAL, or all of them."""
    centre = _centre()
    for one in centre.all() if who is None else _certificates(centre, who, former=True):
        _show(one)


def _centre() -> "JpkiCentre":
    from backend.simulated.bootstrap import open_jpki_centre, simulation_settings

    return open_jpki_centre(simulation_settings())


def _certificates(centre: "JpkiCentre", who: str, *, former: bool = False) -> "list[Issued]":
    """Return the certificates meant; of a persona the newest pair, unless former ones too."""
    if _SERIAL.fullmatch(who.lower()):
        found = centre.find(int(who, 16))
        certificates = [] if found is None else [found]
    else:
        certificates = list(centre.of_persona(who))
        newest = {one.generation == "signature": one for one in certificates}
        if not former:
            certificates = list(newest.values())
    if not certificates:
        raise UsageError(
            f"there is no certificate of {who!r}; kofu-backend jpki show lists all there are "
            "(kofu-backend world load makes those of the sample world)"
        )
    return certificates


def _show(one: "Issued") -> None:
    why = f" {one.reason}" if one.reason else ""
    click.echo(
        f"{one.serial:x} {one.generation:<9} {one.persona:<24} "
        f"{one.not_before.date()}…{one.not_after.date()} {one.status}{why}"
    )
