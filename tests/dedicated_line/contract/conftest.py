"""Committed vectors: what both ends agreed on, byte for byte."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VECTORS = Path(__file__).parent / "vectors"


@pytest.fixture
def vector() -> Callable[[str], Any]:
    """Return a function that reads one file of vectors."""
    return lambda name: json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
