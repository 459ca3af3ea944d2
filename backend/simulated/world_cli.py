"""``kofu-backend world``: make, restore and look at the sample world."""

import click

from dedicated_line.errors import KofuError


@click.group()
def world() -> None:
    """Make, restore and look at the sample world (simulation only)."""


@world.command()
def where() -> None:
    """Print the folder of this world (it depends on KOFU_VAR and KOFU_NOW)."""
    from backend.settings import BackendSettings

    settings = BackendSettings.load()
    _ = settings.run
    click.echo(settings.state)


@world.command()
def load() -> None:
    """Make the world of today (or of KOFU_NOW), unless it is there already."""
    _make(anew=False)


@world.command()
def reset() -> None:
    """Make everything as on the first day: new cards with all tries, participation, register.

    The ledger keeps its orders.
    """
    _make(anew=True)


def _make(*, anew: bool) -> None:
    from backend.settings import BackendSettings
    from backend.simulated.world_stamp import Stamp, tokyo_day

    settings = BackendSettings.load()
    now = settings.clock().now()
    day = tokyo_day(now)
    stamp = Stamp.of(day)
    if settings.simulation and stamp.is_on(settings.state) and not anew:
        click.echo(f"the sample world of {day} is there")
        return
    from backend.simulated.bootstrap import require_simulation
    from backend.simulated.world import before_its_day, start_of_day
    from backend.simulated.world_load import WorldParts, load_world
    from backend.web.schema import migrate_all
    from dedicated_line.clock import SystemEntropy

    require_simulation(settings)

    def _say(step: str) -> None:
        click.echo(f"  {step}", err=True)

    parts = WorldParts(
        settings=before_its_day(settings),
        entropy=SystemEntropy(),
        at=start_of_day(now),
        migrate=lambda: migrate_all(settings),
        say=_say,
    )
    try:
        load_world(parts, stamp, anew=anew)
    except OSError as error:
        raise KofuError(
            f"the sample world cannot be written ({error.strerror}: {error.filename}); "
            "make the folder writable, or set KOFU_VAR to another"
        ) from None
    click.echo(f"the sample world of {day} is made: cards in {settings.state / 'cards'}")


@world.command("list")
def list_personas() -> None:
    """List the personas of this world, and what each may expect."""
    from backend.simulated.bootstrap import simulation_settings
    from backend.simulated.personas import personas_at

    now = simulation_settings().clock().now()
    for persona in personas_at(now).values():
        click.echo(f"{persona.id:<24} {persona.expected:<22} {persona.note}")


@world.command()
@click.argument("persona")
def expect(persona: str) -> None:
    """Print what a persona may expect today: `served`, or the code of a refusal."""
    from backend.simulated.bootstrap import simulation_settings
    from backend.simulated.personas import persona_at

    click.echo(persona_at(persona, simulation_settings().clock().now()).expected)
