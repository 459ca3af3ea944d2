"""``kofu-backend``: the centre, the issuing server, the consoles, and their upkeep."""

import click

from dedicated_line.errors import LazyGroup, run_command


@click.group(
    cls=LazyGroup,
    commands_at={
        "serve": "backend.web.cli:serve",
        "migrate": "backend.web.cli:migrate",
        "kiosks": "backend.web.cli:kiosks",
        "recover": "backend.orders.cli:recover",
        "orders": "backend.orders.cli:orders",
        "participation": "backend.participation.cli:participation",
        "staff": "backend.staff.cli:staff",
        "issuer": "backend.issuer.cli:issuer",
        "keys": "backend.issuer.cli:keys",
        "register": "backend.issuer.cli:register",
        "jpki-centre": "backend.simulated.cli:jpki_centre",
        "jpki": "backend.simulated.cli:jpki",
        "world": "backend.simulated.world_cli:world",
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="kofu")
def kofu_backend() -> None:
    """Serve an audience, run the issuing server, and look after both."""


def main() -> None:
    """Run the console script."""
    run_command(kofu_backend, "kofu-backend")
