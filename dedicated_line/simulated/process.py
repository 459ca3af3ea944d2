"""The process of the simulated wire."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from dedicated_line.simulated.wire import Wire

LOOK_SECONDS: Final = 1.0
"""How often the register is looked at for new circuits."""


@dataclass(frozen=True)
class SimulatedWire:
    """The wire of all circuits in the register, until told to stop."""

    make: Callable[[], Wire]
    circuits: Callable[[], list[str]]
    """The circuits that are registered now."""

    async def run(self, ready: Callable[[int], None], stop: asyncio.Event) -> None:
        """Relay until `stop`; `ready` gets the number of circuits at start."""
        wire = self.make()
        circuits = self.circuits()
        await wire.start_all(circuits)
        ready(len(circuits))
        while not stop.is_set():
            try:
                await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
            except TimeoutError:
                await wire.start_all(self.circuits())
        await wire.close()
