"""``kofu-kiosk``: the kiosk and its simulated parts."""

import click

from dedicated_line.command import Command, LazyGroup, run_command


@click.group(
    cls=LazyGroup,
    lazy={
        "run": Command(
            "kiosk.web.cli:run",
            "run the kiosk's screen",
        ),
        "journey": Command(
            "kiosk.session.cli:journey", "let one resident of the sample world walk up, headless"
        ),
        "card": Command(
            "kiosk.cards.cli:card", "hold a simulated card to the reader; look at what lies there"
        ),
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="kofu")
def kofu_kiosk() -> None:
    """Run a kiosk, or one resident's journey, or put a card on the reader."""


def main() -> None:
    """Run the console script."""
    run_command(kofu_kiosk, "kofu-kiosk")
