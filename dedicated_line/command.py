"""What every console script does: import a command only when it is asked for; end it well."""

import importlib
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import click

from dedicated_line.errors import INCIDENT_LOG, Exit, KofuError, record_incident


class Command(NamedTuple):
    """A command that has not been imported yet."""

    place: str
    """``module:attribute``."""
    says: str
    """One line for the group's help."""


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are asked for."""

    def __init__(self, *args: Any, lazy: Mapping[str, Command], **kwargs: Any) -> None:
        """Take the commands by name."""
        super().__init__(*args, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, in the order given."""
        return [*super().list_commands(ctx), *self._lazy]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        lazy = self._lazy.get(cmd_name)
        if lazy is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = lazy.place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's own
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.says) for name, command in self._lazy.items()])


def run_command(command: click.Command, name: str) -> None:
    """Run a console script: errors for people on standard error, exit codes as `Exit` says."""
    try:
        code = command.main(prog_name=name, standalone_mode=False)
        raise SystemExit(code if isinstance(code, int) else 0)
    except click.exceptions.Abort:
        raise SystemExit(130) from None
    except click.ClickException as error:
        error.show()
        raise SystemExit(Exit.USAGE) from None
    except KofuError as error:
        sys.stderr.write(f"{name}: {error}\n")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except Exception:  # noqa: BLE001 - the last place before the person: an incident with an id
        from dedicated_line.settings import log_folder  # noqa: PLC0415 - it may be the fault

        folder = log_folder()
        incident = record_incident(folder, name)
        sys.stderr.write(
            f"{name}: unexpected error, incident {incident}; "
            f"the operators find it in {folder / INCIDENT_LOG}\n"
        )
        raise SystemExit(Exit.FAULT) from None
