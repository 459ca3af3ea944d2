"""``kofu-line wire``."""

import click


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--profile",
    help="How the wire behaves: none (at once) or isdn (64 kbit/s, 30 ms). Default: KOFU_WIRE.",
)
def wire(profile: str | None) -> None:
    """Simulate the wire between kiosks and centre (simulation only).

    Listens on each registered circuit's address at KOFU_WIRE_PORT and relays to the centre's end
    at 127.0.0.1:KOFU_LINE_PORT, coming from the circuit's address. A kiosk that is enrolled later
    gets its circuit within a second.
    """
    from dedicated_line.bootstrap import run_simulated_wire

    run_simulated_wire(profile)
