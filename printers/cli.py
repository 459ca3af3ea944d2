"""``kofu-printer``: simulated printers, how printers are, and verifying a paper."""

import click

from dedicated_line.command import Command, LazyGroup, run_command


@click.group(
    cls=LazyGroup,
    lazy={
        "emulate": Command(
            "printers.simulated.cli:emulate", "run simulated ESC/POS printers on TCP"
        ),
        "fault": Command("printers.simulated.cli:fault", "make a simulated printer fail, or mend"),
        "status": Command("printers.escpos.cli:status", "ask a printer how it is"),
        "verify": Command("printers.seal.cli:verify", "verify the seals on a printed certificate"),
        "draw": Command("printers.pages.cli:draw_document", "draw a document without force"),
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="kofu")
def kofu_printer() -> None:
    """Simulate printers, ask printers how they are, and verify what has been printed."""


def main() -> None:
    """Run the console script."""
    run_command(kofu_printer, "kofu-printer")
