"""``kofu-backend participation``: what is open where, and since when."""

from datetime import datetime

import click

from backend.participation.model import Change, Offer
from dedicated_line.clock import TOKYO
from dedicated_line.contract.kinds import KIND_NAMES_JA, Kind
from dedicated_line.contract.refusals import Refusal

_KIND = click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    default=Kind.RESIDENCE_CERTIFICATE.value,
    show_default=True,
    help="The certificate kind.",
)
_FROM = click.option(
    "--from", "moment", help="From when: 2017-11, 2017-11-15, 2017-11-15T09:30. Default: now."
)
_COMMENT = click.option("--comment", default="", help="Why; stands in the history.")
TERMINAL = "terminal"
"""The actor of changes made here."""


@click.group()
def participation() -> None:
    """Show and change which municipalities take part, from when, for what fee.

    MUNICIPALITY is a code such as 352012 or a name such as 下関市. Times are Tokyo's.
    """


def _time(moment: datetime) -> str:
    return moment.astimezone(TOKYO).strftime("%Y-%m-%d %H:%M")


def _sentence(offer: Offer) -> str:
    if offer.open:
        return f"open, {offer.fee} yen"
    ahead = f"; opens {_time(offer.opens_at)}, {offer.fee} yen" if offer.opens_at else ""
    match offer.reason:
        case Refusal.NOT_PARTICIPATING:
            return "does not take part"
        case Refusal.NOT_YET_PARTICIPATING:
            return f"does not take part yet{ahead}"
        case _:
            return f"closed{ahead}"


def _line(change: Change) -> str:
    made = _time(change.made_at) if change.made_at else "-"
    word = f"open {change.fee} yen" if change.open else "closed"
    comment = f"  {change.comment}" if change.comment else ""
    return f"  from {_time(change.effective_from)}  {word}  by {change.actor} at {made}{comment}"


@participation.command()
@click.argument("municipality")
@click.option("--at", "moment", help="At which moment; default: now.")
def show(municipality: str, moment: str | None) -> None:
    """Show what a resident of MUNICIPALITY is offered, and how it came to that."""
    from backend.database import transaction
    from backend.participation import service
    from backend.participation.moments import read_moment
    from backend.web.bootstrap import centre_parts

    parts = centre_parts()
    at = read_moment(moment) if moment else parts.clock.now()
    with transaction(parts.engine) as connection:
        found = service.find_municipality(connection, municipality)
        offers = service.offers(connection, found.code, at)
        history = service.history(connection, found.code)
    click.echo(f"{found.full_name} {found.code}, at {_time(at)} (Tokyo)")
    for kind, offer in offers.items():
        click.echo(f"{kind} {KIND_NAMES_JA[kind]}: {_sentence(offer)}")
        for change in history:
            if change.kind is kind:
                click.echo(_line(change))


@participation.command("list")
@click.option("--at", "moment", help="At which moment; default: now.")
def list_(moment: str | None) -> None:
    """List the municipalities that take part, will take part, or did."""
    from backend.database import transaction
    from backend.participation import service
    from backend.participation.moments import read_moment
    from backend.web.bootstrap import centre_parts

    parts = centre_parts()
    at = read_moment(moment) if moment else parts.clock.now()
    with transaction(parts.engine) as connection:
        rows = service.participants(connection, at)
    for found, offers in rows.items():
        for kind, offer in offers.items():
            click.echo(f"{found.code}  {found.full_name}  {kind}: {_sentence(offer)}")
    if not rows:
        click.echo("no municipality takes part yet")


def _switch(
    municipality: str,
    kind: str,
    moment: str | None,
    fee: int | None,
    comment: str,
    *,
    to_open: bool,
) -> None:
    from backend.database import transaction
    from backend.participation import service
    from backend.participation.model import Wish
    from backend.participation.moments import read_moment
    from backend.web.bootstrap import centre_parts

    parts = centre_parts()
    now = parts.clock.now()
    at = read_moment(moment) if moment else now
    with transaction(parts.engine) as connection:
        found = service.find_municipality(connection, municipality)
        before = service.offers(connection, found.code, at)[Kind(kind)]
    wish = Wish(open=to_open, effective_from=at, fee=before.fee if fee is None else fee)
    author = service.Author(TERMINAL, comment, now)
    made = service.switch(parts.engine, parts.announcer, found.code, Kind(kind), wish, author)
    click.echo(f"{found.full_name} {found.code} {kind}:")
    click.echo(_line(made))


@participation.command("open")
@click.argument("municipality")
@_KIND
@_FROM
@click.option("--fee", type=int, help="Yen a copy; default: as it was.")
@_COMMENT
def open_(municipality: str, kind: str, moment: str | None, fee: int | None, comment: str) -> None:
    """Open a kind for MUNICIPALITY, now or from a moment on."""
    _switch(municipality, kind, moment, fee, comment, to_open=True)


@participation.command()
@click.argument("municipality")
@_KIND
@_FROM
@_COMMENT
def close(municipality: str, kind: str, moment: str | None, comment: str) -> None:
    """Close a kind for MUNICIPALITY, now or from a moment on."""
    _switch(municipality, kind, moment, None, comment, to_open=False)
