"""Give the wheel the same direct dependencies that the lock was made from."""

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class CustomMetadataHook(MetadataHookInterface):
    """Read ``requirements.in``, the one list of direct dependencies."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Fill in ``project.dependencies``."""
        listed = Path(self.root, "requirements", "requirements.in").read_text("utf-8").splitlines()
        metadata["dependencies"] = [line for line in listed if line and not line.startswith("#")]
