"""``kofu-kiosk card``: hold a simulated card to a reader, look at a card, watch a reader."""

import click

LONGEST_SECONDS = 86400.0
"""A day: nobody holds a card longer."""
WATCH_SECONDS = 60.0
"""One wait of `watch`; then it waits again."""
AGAIN_SECONDS = 1.0
"""Between two looks for a reader that went away."""
SLOTS = click.IntRange(0, 1)
SLOT = click.option(
    "--slot",
    type=SLOTS,
    default=0,
    show_default=True,
    help="Slot of the reader: 0 is kiosk k000001's, 1 is k000002's.",
)


class ExplainsFaults(click.Command):
    """A command whose help ends with every fault that a card can have."""

    def format_epilog(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the faults below the options."""
        from kiosk import bootstrap

        with formatter.section("Faults"):
            formatter.write_dl(bootstrap.card_faults())


@click.group()
def card() -> None:
    """Hold a simulated card to the reader; look at what lies there."""


def _kiosk_at(slot: int) -> str:
    return f"k{slot + 1:06d}"


@card.command(cls=ExplainsFaults)
@click.argument("persona")
@SLOT
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME[:ARG]",
    help="Something that is wrong with the card, as listed below; can be given many times. "
    "Commands are counted from 1, from when the card is held up.",
)
@click.option(
    "--hold",
    type=click.FloatRange(min=0.5, max=LONGEST_SECONDS),
    help="Take the card back after so many seconds; at Ctrl-C when not given.",
)
def insert(*, persona: str, slot: int, faults: tuple[str, ...], hold: float | None) -> None:
    """Hold the card of PERSONA to a virtual reader of the real pcscd; simulation only.

    The card's tries are kept in its file. Its PIN stands in the sample world's personas.
    """
    import contextlib
    import signal

    from dedicated_line.errors import KofuError
    from kiosk import bootstrap
    from kiosk.cards.errors import CardLeftError
    from kiosk.settings import CardHolding, KioskSettings

    settings = KioskSettings.load()
    bootstrap.only_in_simulation(settings, "a persona's card")

    def take_back(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, take_back)
    with bootstrap.held_card(
        persona, _kiosk_at(slot), settings, CardHolding.PCSCD, faults=faults
    ) as held:
        until = "Ctrl-C" if hold is None else f"{hold:g} s"
        wrong = f", with {', '.join(faults)}," if faults else ""
        print(f"the card of {persona}{wrong} lies on {held.reader.name} until {until}", flush=True)
        with contextlib.suppress(KeyboardInterrupt, CardLeftError):
            held.reader.wait_until_removed(LONGEST_SECONDS if hold is None else hold)
            if not any(fault.startswith("pulled") for fault in faults):
                raise KofuError("the reader let go of the card; see whether pcscd still runs")
            print(f"the card of {persona} was pulled, as asked", flush=True)


@card.command()
@click.option("--slot", type=SLOTS, help="Only this slot of the reader; both when not given.")
def show(*, slot: int | None) -> None:
    """Say what lies on the reader: medium, certificate, tries left; needs no PIN, costs no try."""
    from kiosk import bootstrap
    from kiosk.cards.errors import CardError, NoCardError, PcscDownError
    from kiosk.cards.showing import shown
    from kiosk.settings import KioskSettings

    settings = KioskSettings.load()
    now = settings.clock().now()
    for number in (0, 1) if slot is None else (slot,):
        reader = bootstrap.reader(_kiosk_at(number), settings)
        try:
            reader.wait_for_card(0)
            with reader.dialogue() as transmit:
                lines = shown(transmit, now)
        except PcscDownError:
            raise
        except CardError as error:
            if slot is not None:
                raise
            lines = ["empty" if isinstance(error, NoCardError) else str(error)]
        print("\n  ".join([f"{reader.name}:", *lines]))


@card.command()
@SLOT
def watch(*, slot: int) -> None:
    """Say when a card comes and goes, to the millisecond, until Ctrl-C.

    It asks the card nothing, so a kiosk can use the reader meanwhile.
    """
    import signal
    from threading import Event

    from dedicated_line.clock import TOKYO
    from kiosk import bootstrap
    from kiosk.cards.errors import CardLeftError, NoCardError, ReaderError
    from kiosk.settings import KioskSettings

    def end(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, end)
    settings = KioskSettings.load()
    clock, never = settings.clock(), Event()
    reader = bootstrap.reader(_kiosk_at(slot), settings)

    def say(event: str) -> None:
        at = clock.now().astimezone(TOKYO).isoformat(sep=" ", timespec="milliseconds")
        print(f"{at}  {reader.name}: {event}", flush=True)

    try:
        there = reader.card_present()
        since = clock.monotonic()
        say("card" if there else "empty")
        down = False
        while True:
            try:
                (reader.wait_until_removed if there else reader.wait_for_card)(WATCH_SECONDS)
            except (CardLeftError, NoCardError):
                continue
            except ReaderError as error:
                if not down:
                    say(str(error))
                down, there = True, False
                never.wait(AGAIN_SECONDS)
                continue
            there, down = not there, False
            now = clock.monotonic()
            say(f"{'card' if there else 'empty'} after {(now - since) * 1000:.0f} ms")
            since = now
    except KeyboardInterrupt:
        return
