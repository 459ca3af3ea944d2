"""Puts the simulated national JPKI centre together; refuses to in production."""

import sys
from typing import Final

from flask import Flask

from backend.settings import BackendSettings
from backend.simulated.jpki import JpkiCentre
from backend.simulated.ocsp_server import create_app
from dedicated_line.clock import SystemEntropy
from dedicated_line.errors import UsageError

FOLDER: Final = "jpki"


def simulation_settings() -> BackendSettings:
    """Read the settings; raise UsageError when they say production."""
    settings = BackendSettings.load()
    require_simulation(settings)
    return settings


def require_simulation(settings: BackendSettings) -> None:
    """Raise UsageError when the settings say production."""
    if not settings.simulation:
        raise UsageError(
            "the JPKI centre here is simulated and does not run in production; "
            "set KOFU_ENVIRONMENT=simulation for a model system"
        )


def warn(settings: BackendSettings) -> None:
    """Say loudly on standard error that this is not the national centre."""
    sys.stderr.write(
        "SIMULATED national JPKI centre: not for production; its keys lie open in "
        f"{settings.state / FOLDER}\n"
    )


def open_jpki_centre(settings: BackendSettings) -> JpkiCentre:
    """Open the simulated centre of this world; CAs that are missing are made and published."""
    return JpkiCentre.init(
        settings.state / FOLDER, settings.jpki_trust, settings.clock(), SystemEntropy()
    )


def make_app(settings: BackendSettings) -> Flask:
    """Return the centre's web application."""
    return create_app(open_jpki_centre(settings), settings.clock(), settings.state / "log")
