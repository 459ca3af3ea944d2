"""Errors that people read, and incidents that people look into."""

import sys
import traceback
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import click

from dedicated_line.clock import SystemClock, SystemEntropy


class Exit(IntEnum):
    """How a command ends."""

    SERVED = 0
    FAULT = 1
    USAGE = 2
    REFUSED = 3


class KofuError(Exception):
    """Something that is understood: one sentence that says what happened and what to do."""

    exit_code: Exit = Exit.FAULT


class UsageError(KofuError):
    """The command, its arguments or its settings are wrong."""

    exit_code = Exit.USAGE


INCIDENT_LOG: Final = "incidents.log"


def record_incident(log_folder: Path, part: str) -> str:
    """Write the exception being handled to the incident log; return the incident's id.

    The traceback has source lines and the error's type, not its message or any variable: those
    may speak of a resident.
    """
    incident = SystemEntropy().token(5).hex()
    kind, _, trace = sys.exc_info()
    lines = [f"{SystemClock().real_now().isoformat()} incident={incident} part={part}\n"]
    lines += traceback.format_tb(trace)
    lines.append(f"{kind.__module__}.{kind.__qualname__}\n" if kind else "no exception\n")
    try:
        log_folder.mkdir(parents=True, exist_ok=True)
        with (log_folder / INCIDENT_LOG).open("a", encoding="utf-8") as log:
            log.writelines(lines)
    except OSError:
        sys.stderr.writelines(lines)
    return incident


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are asked for."""

    def __init__(self, *args: Any, commands_at: Mapping[str, str], **kwargs: Any) -> None:
        """Take a map from the command's name to ``module:attribute``."""
        super().__init__(*args, **kwargs)
        self._commands_at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, sorted."""
        return sorted({*super().list_commands(ctx), *self._commands_at})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        place = self._commands_at.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = place.partition(":")
        import importlib  # noqa: PLC0415 - the point of the class

        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


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
        from dedicated_line.settings import log_folder  # noqa: PLC0415 - settings may be the fault

        folder = log_folder()
        incident = record_incident(folder, name)
        sys.stderr.write(
            f"{name}: unexpected error, incident {incident}; "
            f"the operators find it in {folder / INCIDENT_LOG}\n"
        )
        raise SystemExit(Exit.FAULT) from None
