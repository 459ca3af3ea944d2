"""``kofu-backend recover | orders``: move on what stopped, and look at the ledger."""

import click

DEFAULT_LIMIT = 20


@click.command()
@click.option(
    "--every",
    type=click.FloatRange(min=0.1),
    metavar="SECONDS",
    help="Go on until SIGTERM, a round each so many seconds. Without it: one round.",
)
@click.option(
    "--most",
    type=click.IntRange(min=1),
    metavar="N",
    help="Halt and raise an alarm rather than end more than N orders at once.",
)
def recover(every: float | None, most: int | None) -> None:
    """End orders that stopped moving, so that nothing rests.

    What was never released is abandoned after KOFU_ORDER_TIMEOUT seconds; what was released and
    never reported turns to unknown once its print window and a margin are over, and its money is
    owed back.
    """
    from backend.bootstrap import recovery_round, run_recovery
    from backend.settings import BackendSettings

    settings = BackendSettings.load()
    if every is None:
        done = recovery_round(settings, most)()
        click.echo(
            f"abandoned {len(done.abandoned)}, unknown {len(done.unknown)}"
            + (f", HALTED before {done.halted}" if done.halted else "")
        )
    else:
        run_recovery(settings, every, most)


@click.group()
def orders() -> None:
    """Look at the ledger: numbers, states and money; no person is in it."""


@orders.command("list")
@click.option("--limit", type=click.IntRange(1, 1000), default=DEFAULT_LIMIT, show_default=True)
@click.option("--municipality", metavar="CODE", help="Only of this municipality.")
def orders_list(limit: int, municipality: str | None) -> None:
    """List the newest orders."""
    from backend.bootstrap import centre_engine
    from backend.database import reading
    from backend.orders.queries import latest_orders
    from backend.settings import BackendSettings
    from dedicated_line.clock import TOKYO

    engine = centre_engine(BackendSettings.load())
    with reading(engine) as connection:
        rows = latest_orders(connection, limit, municipality)
    engine.dispose()
    for row in rows:
        at = row.created_at.astimezone(TOKYO).strftime("%Y-%m-%d %H:%M:%S")
        click.echo(
            f"{row.reference}  {at}  {row.kiosk}  {row.municipality}  {row.kind.value}  "
            f"{row.state.value:<9}  {row.money.value:<8}  {row.fee:>5} yen  {row.reason or ''}"
        )


@orders.command("show")
@click.argument("identifier", metavar="ID|REFERENCE")
def orders_show(identifier: str) -> None:
    """Show one order and its issues, by its id or by what a resident quotes (A1B2-C3D4)."""
    from backend.bootstrap import centre_engine
    from backend.database import reading
    from backend.orders import store
    from backend.orders.queries import find_by_reference
    from backend.settings import BackendSettings
    from dedicated_line.contract.numbers import reference_number
    from dedicated_line.errors import UsageError

    engine = centre_engine(BackendSettings.load())
    with reading(engine) as connection:
        found = find_by_reference(connection, identifier)
        order = store.find_order(connection, found) if found else None
    engine.dispose()
    if order is None:
        raise UsageError(f"no order has the id or reference number {identifier!r}; see orders list")
    click.echo(f"order      {order.id} ({reference_number(order.id)})")
    click.echo(f"kiosk      {order.kiosk}, municipality {order.municipality}, {order.kind.value}")
    click.echo(f"made       {order.created_at.isoformat()}, moved {order.updated_at.isoformat()}")
    click.echo(f"money      taken {order.taken}, returned {order.returned}, owed {order.owed} yen")
    click.echo(f"reason     {order.reason or '-'}")
    for issue in order.issues:
        click.echo(
            f"issue {issue.place}    {issue.number or '-'}  {issue.state.value}  "
            f"{issue.money.value}  {issue.price} yen  number {issue.number_status.value}"
        )
