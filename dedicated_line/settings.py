"""Settings that every part has: where it stands, where its files lie, what time it is.

Each package's ``settings.py`` extends these; nothing but a ``bootstrap.py`` reads them. They come
from the environment (``KOFU_…``) and, below it, from ``settings.env`` in the folder ``KOFU_VAR``.
"""

import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Self

from pydantic import ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from dedicated_line.clock import SystemClock
from dedicated_line.contract.environment import Environment
from dedicated_line.errors import UsageError

SETTINGS_FILE = "settings.env"
LONGEST_SOCKET_PATH = 100
"""Linux takes 107 bytes for a Unix socket's path."""


def log_folder() -> Path:
    """Return where incidents are logged when settings themselves cannot be read."""
    return Path(os.environ.get("KOFU_VAR", "var")) / "log"


class Settings(BaseSettings):
    """What all parts share. Production is the default, so that nothing simulated runs unasked."""

    model_config = SettingsConfigDict(
        env_prefix="KOFU_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    environment: Environment = Environment.PRODUCTION
    var: Path = Path("var")
    """Where this installation keeps its files."""
    now: str | None = None
    """Domain time to start at (RFC 3339 with offset); simulation only."""
    now_since: str | None = None
    """Real time at which domain time was `now`; the start of this process when not given."""
    centre: str = "kofu-centre-1"
    """The centre's id, which the card signs along."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic names it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic names it
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then ``settings.env``."""
        file = Path(os.environ.get("KOFU_VAR", "var")) / SETTINGS_FILE
        return init_settings, env_settings, DotEnvSettingsSource(settings_cls, env_file=file)

    @model_validator(mode="after")
    def _simulation_only(self) -> Self:
        if self.now is not None and self.environment is Environment.PRODUCTION:
            raise ValueError("KOFU_NOW moves the clock and is refused in production")
        _instant("KOFU_NOW", self.now)
        _instant("KOFU_NOW_SINCE", self.now_since)
        return self

    @property
    def simulation(self) -> bool:
        """Tell whether simulated devices may run."""
        return self.environment is Environment.SIMULATION

    @property
    def state(self) -> Path:
        """Return the folder of this world: `var` itself, or one of its own for each `now`."""
        if self.now is None:
            return self.var
        return self.var / "worlds" / re.sub(r"[^0-9TZ+-]", "", self.now)

    @property
    def run(self) -> Path:
        """Return the folder of Unix sockets."""
        folder = (self.state / "run").absolute()
        if len(str(folder)) > LONGEST_SOCKET_PATH - len("/participation.sock"):
            raise UsageError(
                f"the path {folder} is too long for sockets; set KOFU_VAR to a shorter"
            )
        return folder

    def clock(self) -> SystemClock:
        """Return the clock that this setting asks for."""
        start = _instant("KOFU_NOW", self.now)
        if start is None:
            return SystemClock()
        since = _instant("KOFU_NOW_SINCE", self.now_since) or SystemClock().real_now()
        return SystemClock(offset=timedelta(seconds=(start - since).total_seconds()))

    @classmethod
    def load(cls, **given: Any) -> Self:
        """Read the settings; raise UsageError with one sentence that names what is wrong."""
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors()[0]
            name = "_".join(str(part) for part in first["loc"]).upper()
            reason = first["msg"].removeprefix("Value error, ")
            raise UsageError(f"{'KOFU_' + name + ': ' if name else ''}{reason}") from None


def _instant(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ValueError(
            f"{name} is {text!r}; write a time with its offset, such as 2017-08-15T10:00+09:00"
        )
    return instant
