"""``kofu-printer status``."""

import click

from dedicated_line.errors import Exit, UsageError

HIGHEST_PORT = 65535


@click.command()
@click.argument("address", metavar="[HOST:PORT]", required=False)
def status(address: str | None) -> int:
    """Ask a printer how it is; without an address, each of the sample world's.

    Exit code 0 when all are ready, 1 when one is not.
    """
    from printers.bootstrap import states

    place = None
    if address is not None:
        host, _, port = address.rpartition(":")
        if not host or not port.isdigit() or not 0 < int(port) <= HIGHEST_PORT:
            raise UsageError(f"{address}: write the address as HOST:PORT")
        place = (host, int(port))
    ready = True
    for name, state in states(place).items():
        ready = ready and state.ready
        words = [state.health.value, f"paper {state.paper.value}"]
        print(name, ", ".join([*words, *([state.detail] if state.detail else [])]))
    return Exit.SERVED if ready else Exit.FAULT
