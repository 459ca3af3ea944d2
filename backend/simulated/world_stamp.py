"""For which day, and from which tables, a world was made; kept light, as every start asks."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Final

from dedicated_line.clock import TOKYO

STAMP: Final = "world.json"
FOLDER: Final = Path(__file__).parent / "world"
"""The tables."""
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


def tokyo_day(now: datetime) -> date:
    """Return the Tokyo date of an instant."""
    return now.astimezone(TOKYO).date()


@dataclass(frozen=True)
class Stamp:
    """What a world was made for and from."""

    day: str
    tables: str

    @classmethod
    def of(cls, day: date) -> "Stamp":
        """Return the stamp that a world of this day should have."""
        digest = hashlib.sha256()
        for file in sorted(FOLDER.iterdir()):
            digest.update(file.name.encode() + file.read_bytes())
        for file in sorted(MIGRATIONS.glob("*/versions/*.py")):
            digest.update(file.name.encode())
        return cls(day.isoformat(), digest.hexdigest())

    def is_on(self, state: Path) -> bool:
        """Tell whether the world in this folder has this stamp."""
        try:
            found = json.loads((state / STAMP).read_text("utf-8"))
        except (OSError, ValueError):
            return False
        return bool(found == {"day": self.day, "tables": self.tables})

    def put_on(self, state: Path) -> None:
        """Mark the world in this folder as finished."""
        text = json.dumps({"day": self.day, "tables": self.tables})
        (state / STAMP).write_text(text + "\n", "utf-8")
