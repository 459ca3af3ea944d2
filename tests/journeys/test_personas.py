"""Every persona meets what the world's own table says of them."""

import pytest
from running import Running
from systems import journey

from backend.simulated.personas import SERVED, Persona, personas_at
from dedicated_line.clock import SystemClock

PERSONAS = personas_at(SystemClock().now())


@pytest.mark.sockets
@pytest.mark.parametrize("persona", PERSONAS.values(), ids=PERSONAS.keys())
def test_a_persona_is_served_or_refused_as_their_row_says(
    system: Running, persona: Persona
) -> None:
    done = journey(system, persona.id)
    said = done.stdout + done.stderr
    if persona.expected == SERVED:
        assert done.returncode == 0, said
    else:
        assert (done.returncode, f"refused: {persona.expected}" in said) == (3, True), said
