"""``kofu-line``: both ends of the dedicated line, enrolment, and the simulated wire."""

import click

from dedicated_line.errors import LazyGroup, run_command


@click.group(
    cls=LazyGroup,
    commands_at={
        "serve": "dedicated_line.centre_end.cli:serve",
        "ca": "dedicated_line.enrolment.cli:ca",
        "kiosk": "dedicated_line.enrolment.cli:kiosk",
        "wire": "dedicated_line.simulated.cli:wire",
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="kofu")
def kofu_line() -> None:
    """Serve the centre's end of the line, enrol kiosks, or simulate the wire."""


def main() -> None:
    """Run the console script."""
    run_command(kofu_line, "kofu-line")
