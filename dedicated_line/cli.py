"""``kofu-line``: both ends of the dedicated line, enrolment, and the simulated wire."""

import click

from dedicated_line.command import Command, LazyGroup, run_command


@click.group(
    cls=LazyGroup,
    lazy={
        "serve": Command(
            "dedicated_line.centre_end.cli:serve", "serve the centre's end of the line"
        ),
        "wire": Command(
            "dedicated_line.simulated.cli:wire",
            "run the simulated wire",
        ),
        "ca": Command(
            "dedicated_line.enrolment.cli:ca",
            "make the line's certificate authority",
        ),
        "kiosk": Command(
            "dedicated_line.enrolment.cli:kiosk",
            "enrol, list and revoke kiosks",
        ),
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="kofu")
def kofu_line() -> None:
    """Serve the centre's end of the line, enrol kiosks, or simulate the wire."""


def main() -> None:
    """Run the console script."""
    run_command(kofu_line, "kofu-line")
