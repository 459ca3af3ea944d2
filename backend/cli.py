"""``kofu-backend``: the centre, the issuing server, the consoles, and their upkeep."""

import click

from dedicated_line.command import Command, LazyGroup, run_command


@click.group(
    cls=LazyGroup,
    lazy={
        "serve": Command(
            "backend.web.cli:serve", "serve one audience: kiosk-api, municipality, operators"
        ),
        "issuer": Command(
            "backend.issuer.cli:issuer",
            "run the issuing server",
        ),
        "recover": Command(
            "backend.orders.cli:recover",
            "end orders that stopped moving",
        ),
        "orders": Command(
            "backend.orders.cli:orders",
            "look at orders and their states",
        ),
        "participation": Command(
            "backend.participation.cli:participation",
            "see and change who offers what, when, for what fee",
        ),
        "register": Command(
            "backend.issuer.cli:register", "load and look at the issuing server's register"
        ),
        "keys": Command(
            "backend.issuer.cli:keys",
            "make and publish signing keys",
        ),
        "kiosks": Command(
            "backend.web.cli:kiosks",
            "load and list the centre's kiosks",
        ),
        "staff": Command(
            "backend.staff.cli:staff",
            "make accounts for the consoles",
        ),
        "migrate": Command(
            "backend.web.cli:migrate",
            "bring the databases to the newest schema",
        ),
        "jpki-centre": Command(
            "backend.simulated.cli:jpki_centre", "run the simulated national JPKI centre"
        ),
        "jpki": Command(
            "backend.simulated.cli:jpki", "revoke, hold and show simulated certificates"
        ),
        "world": Command(
            "backend.simulated.world_cli:world", "make, restore and look at the sample world"
        ),
    },
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="kofu")
def kofu_backend() -> None:
    """Serve an audience, run the issuing server, and look after both."""


def main() -> None:
    """Run the console script."""
    run_command(kofu_backend, "kofu-backend")
