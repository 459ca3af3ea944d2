"""The sample world: made for one day, with registers, certificates and cards that fit it."""

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Final

from backend.settings import BackendSettings
from backend.simulated.jpki import CardOrder, JpkiCentre, Personalised, Reason
from backend.simulated.personas import CardState, Persona
from backend.simulated.world_stamp import tokyo_day
from dedicated_line.clock import TOKYO
from dedicated_line.contract.sessions import CardAlgorithm

JUKI_LABEL: Final = "JPKIAPICCTOKEN"
MY_NUMBER_LABEL: Final = "JPKIAPICCTOKEN2"
GENERATION_YEARS: Final = ((2023, "g2023"), (2019, "g2019"))
"""A CA generation signs from its year on (facts: 2015, 2019, 2023)."""
CARD_DAYS: Final = 400
"""How long before the world's day a card was issued; those of the far past vary by municipality."""
CARD_YEARS: Final = 5
BEFORE: Final = timedelta(minutes=10)
"""Longer than making a world takes."""


def start_of_day(now: datetime) -> datetime:
    """Return the first instant of a moment's Tokyo day."""
    return datetime.combine(tokyo_day(now), time(), TOKYO).astimezone(UTC)


def before_its_day(settings: BackendSettings) -> BackendSettings:
    """Return settings whose clock stands shortly before the world's Tokyo day.

    With KOFU_NOW every start begins at the same instant again; nothing that was made for the world
    may then lie in the future.
    """
    if settings.now is None:
        return settings
    clock = settings.clock()
    now, real = clock.now(), clock.real_now()
    start = datetime.fromisoformat(settings.now)
    since = real + (start - start_of_day(now)) + BEFORE
    return settings.model_copy(update={"now_since": since.isoformat()})


def _term(card: CardState, now: datetime, number: int) -> tuple[datetime, datetime]:
    """Return when a persona's certificate begins and ends, around the day of the world."""
    midnight = start_of_day(now)
    year = timedelta(days=365)
    match card:
        case CardState.ISSUED_TODAY:
            start = midnight
        case CardState.EXPIRED:
            start = midnight - CARD_YEARS * year - timedelta(days=30)
        case _:
            start = midnight - timedelta(days=CARD_DAYS * (1 + number % 4))
    return start, start + CARD_YEARS * year


def card_order(persona: Persona, now: datetime, number: int) -> CardOrder:
    """Say what card a persona has in the world of an instant."""
    start, end = _term(persona.card, now, number)
    generation = next((name for year, name in GENERATION_YEARS if start.year >= year), "g2015")
    if persona.card is CardState.STRAY:
        generation = "stray"
    if persona.card is CardState.NEXT:
        generation = "next"
    return CardOrder(
        persona=persona.id,
        generation=generation,
        pin=persona.pin,
        not_before=start,
        not_after=end,
        label=JUKI_LABEL if persona.card is CardState.JUKI else MY_NUMBER_LABEL,
        tries=0 if persona.card is CardState.BLOCKED else 3,
        algorithm=CardAlgorithm.ES384 if persona.card is CardState.NEXT else CardAlgorithm.RS256,
    )


def make_cards(
    centre: JpkiCentre, personas: Iterable[Persona], now: datetime
) -> list[tuple[Persona, Personalised]]:
    """Have the JPKI centre personalise every persona's card, and revoke those that are to be."""
    listed = list(personas)
    cards = centre.personalise_all(
        [card_order(persona, now, number) for number, persona in enumerate(listed)]
    )
    for persona, card in zip(listed, cards, strict=True):
        if persona.card is CardState.REVOKED:
            centre.revoke(card.serial, Reason.CESSATION)
        if persona.card is CardState.HELD:
            centre.hold(card.serial)
    return list(zip(listed, cards, strict=True))


def write_cards(folder: Path, cards: Iterable[tuple[Persona, Personalised]]) -> None:
    """Write ``cards/<persona>.json``; cards of personas that are no more are taken away."""
    fresh = folder.with_name("cards.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    for persona, made in cards:
        file = fresh / f"{persona.id}.json"
        file.write_bytes(made.card.to_json() + b"\n")
        file.chmod(0o600)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)
