"""Fills the centre, the issuing server and the JPKI centre with the sample world of one day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete

from backend.database import open_database, transaction
from backend.issuer.bootstrap import open_register, publish_keys
from backend.issuer.register.service import import_records, link_card
from backend.kiosks.service import load_register
from backend.network.service import register_card
from backend.participation.service import load_municipalities, load_participation
from backend.participation.store import change_table
from backend.settings import BackendSettings
from backend.simulated.bootstrap import open_jpki_centre
from backend.simulated.jpki import Personalised
from backend.simulated.personas import Persona, personas_at, sample_residents
from backend.simulated.world import make_cards, write_cards
from backend.simulated.world_stamp import FOLDER, Stamp, tokyo_day
from dedicated_line.clock import Entropy
from dedicated_line.contract.line import CircuitRegister
from dedicated_line.errors import KofuError, UsageError

PSEUDONYM_BYTES = 16
Cards = list[tuple[Persona, Personalised]]


@dataclass(frozen=True)
class WorldParts:
    """What making a world needs beside its settings."""

    settings: BackendSettings
    entropy: Entropy
    at: datetime
    """Domain time from which the world holds: the first instant of its Tokyo day."""
    migrate: Callable[[], None]
    """Brings both databases to the newest schema."""
    say: Callable[[str], None]
    """Shows progress."""


def load_world(parts: WorldParts, stamp: Stamp, *, anew: bool) -> None:
    """Make the world of this day; with `anew`, participation starts from the table again.

    The stamp is put on last, so that an interrupted load is taken up again from the start.
    """
    settings = parts.settings
    settings.state.mkdir(parents=True, exist_ok=True)
    parts.say("databases")
    parts.migrate()
    parts.say("cards, personalised by the simulated JPKI centre")
    centre = open_jpki_centre(settings)
    try:
        cards = make_cards(centre, personas_at(parts.at).values(), parts.at)
    finally:
        centre.close()
    parts.say("municipalities, participation, kiosks")
    _fill_centre(parts, cards, anew=anew)
    parts.say("register, keys")
    _fill_register(parts, cards)
    publish_keys(settings, ())
    write_cards(settings.state / "cards", cards)
    stamp.put_on(settings.state)


def _fill_centre(parts: WorldParts, cards: Cards, *, anew: bool) -> None:
    settings = parts.settings
    engine = open_database(settings.centre_database_url)
    with transaction(engine) as connection:
        load_municipalities(connection)
        if anew:
            connection.execute(delete(change_table))
        table = (FOLDER / "participation.csv").read_text("utf-8").splitlines()
        load_participation(connection, table)
        for persona, made in cards:
            register_card(
                connection,
                generation=made.generation,
                serial=made.serial,
                pseudonym=parts.entropy.token(PSEUDONYM_BYTES).hex(),
                municipality=persona.municipality,
                since=parts.at,
            )
        kiosks = _circuits(settings.state / "line" / "register.json")
        load_register(connection, kiosks)
    engine.dispose()


def _circuits(file: Path) -> CircuitRegister:
    try:
        return CircuitRegister.model_validate_json(file.read_bytes())
    except OSError:
        raise UsageError(
            f"there is no register of circuits at {file}; "
            "run 'kofu-line ca init' and 'kofu-line kiosk add' first"
        ) from None


def _fill_register(parts: WorldParts, cards: Cards) -> None:
    register = open_register(parts.settings)
    lines = [line.encode() for line in sample_residents(tokyo_day(parts.at))]
    report = import_records(register.engine, lines, register.vault, parts.at)
    if report.refused:
        number, reason = report.refused[0]
        raise KofuError(f"residents.jsonl, line {number} of the day's register: {reason}")
    for persona, made in cards:
        link_card(
            register.engine,
            persona.municipality,
            persona.id,
            made.generation,
            made.serial,
            vault=register.vault,
        )
    register.engine.dispose()
