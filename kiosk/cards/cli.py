"""``kofu-kiosk card``: hold a simulated card to a reader, look at a card, watch a reader."""

import click

LONGEST_SECONDS = 86400.0
"""A day: nobody holds a card longer."""
SLOT = click.option(
    "--slot",
    type=click.IntRange(0, 1),
    default=0,
    show_default=True,
    help="Slot of the reader: 0 is kiosk k000001's, 1 is k000002's.",
)


@click.group()
def card() -> None:
    """Hold a simulated card to the reader; look at what lies there."""


def _kiosk_at(slot: int) -> str:
    return f"k{slot + 1:06d}"


@card.command()
@click.argument("persona")
@SLOT
@click.option(
    "--hold",
    type=click.FloatRange(min=0.5, max=LONGEST_SECONDS),
    help="Take the card back after so many seconds; at Ctrl-C when not given.",
)
def insert(*, persona: str, slot: int, hold: float | None) -> None:
    """Hold the card of PERSONA to a virtual reader of the real pcscd; simulation only.

    The card's tries are kept in its file. Its PIN stands in the sample world's personas.
    """
    import contextlib
    import difflib
    import signal

    from dedicated_line.errors import KofuError, UsageError
    from kiosk import bootstrap
    from kiosk.cards.errors import CardLeftError
    from kiosk.settings import CardHolding, KioskSettings

    settings = KioskSettings.load()
    bootstrap.only_in_simulation(settings, "a persona's card")
    known = bootstrap.personas(settings)
    if known and persona not in known:
        near = difflib.get_close_matches(persona, known, n=3, cutoff=0.3) or known[:3]
        raise UsageError(f"there is no persona {persona!r}; near it are {', '.join(near)}")

    def take_back(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, take_back)
    with bootstrap.held_card(persona, _kiosk_at(slot), settings, CardHolding.PCSCD) as held:
        until = "Ctrl-C" if hold is None else f"{hold:g} s"
        print(f"the card of {persona} lies on {held.reader.name} until {until}", flush=True)
        with contextlib.suppress(KeyboardInterrupt, CardLeftError):
            held.reader.wait_until_removed(LONGEST_SECONDS if hold is None else hold)
            raise KofuError("the reader let go of the card; see whether pcscd still runs")


@card.command()
@SLOT
def show(*, slot: int) -> None:
    """Say what lies on the reader: medium and tries left; costs no try."""
    from kiosk import bootstrap
    from kiosk.cards import dialogue
    from kiosk.settings import KioskSettings

    reader = bootstrap.reader(_kiosk_at(slot), KioskSettings.load())
    reader.wait_for_card(0)
    with reader.dialogue() as transmit:
        look = dialogue.look(transmit)
    print(f"label       {look.label}")
    print(f"medium      {look.medium.name.lower().replace('_', ' ')}")
    print(f"tries left  {look.tries_left}")
    print(f"signs with  {look.algorithm}")


@card.command()
@SLOT
def watch(*, slot: int) -> None:
    """Say when a card comes and goes, until Ctrl-C."""
    import signal

    from kiosk import bootstrap
    from kiosk.cards.errors import CardLeftError, NoCardError
    from kiosk.settings import KioskSettings

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    reader = bootstrap.reader(_kiosk_at(slot), KioskSettings.load())
    try:
        there = reader.card_present()
        print(f"{reader.name}: {'card' if there else 'empty'}", flush=True)
        while True:
            try:
                (reader.wait_until_removed if there else reader.wait_for_card)(60)
            except (CardLeftError, NoCardError):
                continue
            there = not there
            print(f"{reader.name}: {'card' if there else 'empty'}", flush=True)
    except KeyboardInterrupt:
        return
