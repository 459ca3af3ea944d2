"""``kofu-kiosk journey``: one resident, from card to paper, without a screen."""

import signal
import sys
from pathlib import Path
from typing import Final

import click

from dedicated_line.contract.kinds import Kind
from kiosk.settings import JOURNEY_KIOSK, CardHolding

OPTION_WORDS: Final = {
    "relationship": ("relationship", True),
    "domicile": ("domicile", True),
    "individual-number": ("individual_number", True),
    "resident-record-code": ("resident_record_code", True),
    "no-foreign-items": ("foreign_items", False),
}
"""What may be said after ``--option``, and the option that it sets."""


@click.command()
@click.argument("persona")
@click.option("--pin", help="Four digits; the simulated card's own when not given.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    default=Kind.RESIDENCE_CERTIFICATE.value,
    show_default=True,
    help="Which certificate.",
)
@click.option(
    "--card",
    type=click.Choice([holding.value for holding in CardHolding]),
    help="How the card is held up: in a virtual reader of pcscd, or in this process. "
    "KOFU_CARD when not given.",
)
@click.option(
    "--keep-pages",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write certificate-N.pdf into this folder (simulation only).",
)
@click.option("--kiosk", default=JOURNEY_KIOSK, show_default=True, help="At which kiosk.")
@click.option(
    "--members",
    type=click.Choice(["self", "all"]),
    default="self",
    show_default=True,
    help="Who shall be on the paper.",
)
@click.option(
    "--copies", type=click.IntRange(1, 10), default=1, show_default=True, help="How many copies."
)
@click.option(
    "--option",
    "options",
    multiple=True,
    type=click.Choice(sorted(OPTION_WORDS)),
    help="An item that shall be on the paper; may be given more than once.",
)
@click.option("--use-last-try", is_flag=True, help="Type the PIN although one try is left.")
def journey(  # noqa: PLR0913 - one parameter an option
    *,
    persona: str,
    pin: str | None,
    kind: str,
    card: str | None,
    keep_pages: Path | None,
    kiosk: str,
    members: str,
    copies: int,
    options: tuple[str, ...],
    use_last_try: bool,
) -> int:
    """Serve one resident, PERSONA of the sample world, and show each step with its time.

    Needs the centre, the line, the printer and, unless --card in-process, pcscd to run. Simulated
    coins come in by themselves; the paper is taken at once.

    Exit code: 0 served, 3 refused with a stated reason, 1 fault, 2 wrong usage.
    """
    from dedicated_line.contract.kinds import Options
    from dedicated_line.errors import UsageError
    from kiosk import bootstrap
    from kiosk.cards.model import is_pin
    from kiosk.cards.pin import Pin
    from kiosk.session.driver import Driver
    from kiosk.session.report import Report
    from kiosk.session.script import Plan, ScriptedTouches
    from kiosk.session.state import ENDED
    from kiosk.settings import KioskSettings

    settings = KioskSettings.load()
    if pin is not None and not is_pin(pin):
        raise UsageError("--pin takes four digits")
    if not (kiosk.startswith("k") and kiosk[1:].isdigit() and len(kiosk) == 7):  # noqa: PLR2004
        raise UsageError("--kiosk takes an id such as k000002")
    holding = settings.card if card is None else CardHolding(card)
    chosen = Options(**dict(OPTION_WORDS[word] for word in options))
    keep = None if keep_pages is None else bootstrap.keep_pages_in(keep_pages, settings)
    coins = bootstrap.coin_unit(kiosk, settings, resident_pays=True)
    report = Report(settings.clock(), persona=persona, kiosk=kiosk)
    with (
        bootstrap.held_card(persona, kiosk, settings, holding) as held,
        bootstrap.ports(kiosk, settings, held.reader, coins, keep) as parts,
    ):
        report.settled(bootstrap.settle(parts))
        plan = Plan(
            pin=Pin(pin or held.pin),
            kind=Kind(kind),
            whole_household=members == "all",
            options=chosen,
            copies=copies,
            use_last_try=use_last_try,
        )
        touches = ScriptedTouches(plan, parts.clock, held.card.remove)
        driver = Driver(parts, touches, report)
        touches.give_up = driver.shut_down
        driver.watch(report.watch)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: driver.shut_down())
        last = driver.run(until=lambda session: session.stage in ENDED and not session.card_in)
    code = report.result(last, touches.pin_typed_at)
    print(f"card: {holding.value}")
    sys.stdout.flush()
    return code
