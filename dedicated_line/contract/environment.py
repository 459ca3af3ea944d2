"""Where a system stands: the real world or a model of it."""

from enum import StrEnum


class Environment(StrEnum):
    """Production refuses what is simulated; simulation refuses real JPKI certificates."""

    SIMULATION = "simulation"
    PRODUCTION = "production"
