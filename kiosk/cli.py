"""``kofu-kiosk``: the kiosk and its simulated parts."""

import click

from dedicated_line.errors import LazyGroup, run_command


@click.group(
    cls=LazyGroup,
    commands_at={
        "card": "kiosk.cards.cli:card",
        "journey": "kiosk.session.cli:journey",
        "run": "kiosk.web.cli:run",
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="kofu")
def kofu_kiosk() -> None:
    """Run a kiosk, or one resident's journey, or put a card on the reader."""


def main() -> None:
    """Run the console script."""
    run_command(kofu_kiosk, "kofu-kiosk")
