"""The one place where a kiosk is put together from its settings."""

import difflib
import errno
import fcntl
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_pem_public_key,
)

from dedicated_line.clock import SystemEntropy
from dedicated_line.contract.kinds import Kind
from dedicated_line.errors import KofuError, UsageError, record_incident
from dedicated_line.kiosk_end.client import LineClient
from kiosk.cards.direct import DirectCards
from kiosk.cards.pcsc import PcscReader
from kiosk.cards.reader import Cards, Reader
from kiosk.cards.remote import RemoteCards
from kiosk.centre.client import CentreClient
from kiosk.coins.unit import CoinUnit
from kiosk.journal.settle import Settled, settle_unfinished
from kiosk.journal.store import Journal
from kiosk.session.ports import Identity, OpenPrinter, Ports
from kiosk.settings import CardHolding, KioskSettings
from kiosk.simulated.card_file import keep_in, load_card_file
from kiosk.simulated.coin_unit import SimulatedCoinUnit
from kiosk.simulated.faults import explained, parse_fault
from kiosk.simulated.faulty_card import FaultyCard
from kiosk.simulated.hand import SimulatedHand
from kiosk.simulated.insertion import inserted
from kiosk.simulated.reader import SimulatedReader
from printers.escpos.session import PrinterSession
from printers.pages.drawing_process import DrawingProcess
from printers.pages.service import layout_digest

IN_USE = "in-use"
"""The file that the one process of a kiosk holds locked."""


class Card(Protocol):
    """A card in a resident's hand."""

    def remove(self) -> None:
        """Take it back."""
        ...


@dataclass(frozen=True)
class HeldCard:
    """A reader, and the card that is held to it."""

    reader: Reader
    card: Card
    pin: str
    """That the simulated card was made with."""


def warn(what: str) -> None:
    """Say loudly that a part is not real."""
    sys.stderr.write(f"SIMULATED {what}: not for production\n")
    sys.stderr.flush()


def only_in_simulation(settings: KioskSettings, what: str) -> None:
    """Raise UsageError in production."""
    if not settings.simulation:
        raise UsageError(
            f"{what} is for simulation only and KOFU_ENVIRONMENT says production; "
            "set KOFU_ENVIRONMENT=simulation to try it"
        )


def coin_unit(kiosk: str, settings: KioskSettings, *, resident_pays: bool) -> SimulatedCoinUnit:
    """Return the kiosk's simulated coin unit; there is no adapter to a real one yet."""
    only_in_simulation(settings, "the coin unit")
    warn("coin unit")
    file = settings.folder(kiosk) / "coins.json"
    return SimulatedCoinUnit(file, name=kiosk, resident_pays=resident_pays)


def reader(kiosk: str, settings: KioskSettings) -> Reader:
    """Return the kiosk's card reader; an empty one in this process where settings say so."""
    if settings.card is CardHolding.IN_PROCESS:
        only_in_simulation(settings, "a card reader in the kiosk's process")
        warn("card reader")
        return SimulatedReader()
    return PcscReader(settings.reader_slot(kiosk), settings.clock())


def cards(kiosk: str, settings: KioskSettings, card_reader: Reader) -> Cards:
    """Return what speaks with a card: a process of its own, except with a reader of this one."""
    if isinstance(card_reader, SimulatedReader):
        return DirectCards(card_reader)
    return RemoteCards(settings.reader_slot(kiosk), settings.clock())


def hand(card_reader: Reader, settings: KioskSettings) -> SimulatedHand | None:
    """Return what holds cards to a reader of this process; None where PC/SC has the reader."""
    if not isinstance(card_reader, SimulatedReader):
        return None
    return SimulatedHand(card_reader, settings.card_file("x").parent)


def personas(settings: KioskSettings) -> list[str]:
    """Return the ids of all whose simulated card there is."""
    return sorted(file.stem for file in settings.card_file("x").parent.glob("*.json"))


def card_faults() -> list[tuple[str, str]]:
    """Return every fault that a simulated card can have, as it is typed, and what it does."""
    return explained()


def _card_file(persona: str, settings: KioskSettings) -> Path:
    known = personas(settings)
    if persona not in known:
        near = difflib.get_close_matches(persona, known, n=3, cutoff=0.3) or known[:3]
        raise UsageError(
            f"there is no persona {persona!r}; "
            + (f"near it are {', '.join(near)}" if near else "load the sample world first")
        )
    return settings.card_file(persona)


@contextmanager
def held_card(
    persona: str,
    kiosk: str,
    settings: KioskSettings,
    holding: CardHolding,
    faults: Sequence[str] = (),
) -> Iterator[HeldCard]:
    """Hold a persona's simulated card to the kiosk's reader.

    Args:
        persona: whose card.
        kiosk: at which kiosk.
        settings: where the cards are.
        holding: to pcscd's virtual reader, or in this process.
        faults: what is wrong with it, each as `kiosk.simulated.faults.parse_fault` reads it.

    Raises:
        UsageError: there is no such card or fault, or this is production.
    """
    only_in_simulation(settings, "a persona's card")
    file = _card_file(persona, settings)
    wrong = [
        parse_fault(text, lambda other: load_card_file(_card_file(other, settings)))
        for text in faults
    ]
    warn("My Number Card")
    pin = load_card_file(file).pin
    if holding is CardHolding.PCSCD:
        slot = settings.reader_slot(kiosk)
        with inserted(file, slot, wrong) as card:
            yield HeldCard(PcscReader(slot, settings.clock()), card, pin)
        return
    simulated = SimulatedReader(FaultyCard(load_card_file(file), wrong, keep_in(file)))
    yield HeldCard(simulated, simulated, pin)


def keep_pages_in(folder: Path, settings: KioskSettings) -> Callable[[int, bytes], None]:
    """Return what writes ``certificate-N.pdf`` into a folder; simulation only.

    Raises:
        UsageError: the folder cannot be written, or this is production.
    """
    only_in_simulation(settings, "keeping pages")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be written ({error.strerror}); give --keep-pages another folder"
        ) from error

    def keep(number: int, pdf: bytes) -> None:
        try:
            (folder / f"certificate-{number}.pdf").write_bytes(pdf)
        except OSError as error:
            raise KofuError(
                f"{folder} cannot be written ({error.strerror}); give --keep-pages another folder"
            ) from error

    return keep


@contextmanager
def ports(
    kiosk: str,
    settings: KioskSettings,
    card_reader: Reader,
    coins: CoinUnit,
    keep_pages: Callable[[int, bytes], None] | None = None,
) -> Iterator[Ports]:
    """Put the parts of a kiosk together; one process at a time has them.

    Raises:
        UsageError: the kiosk is not enrolled, or another process has it.
        JournalError: the journal cannot be written.
    """
    folder = settings.folder(kiosk)
    clock, entropy = settings.clock(), SystemEntropy()
    with ExitStack() as stack:
        stack.enter_context(_alone(folder, kiosk))
        journal = stack.enter_context(closing(Journal(folder / "journal.db")))
        line = LineClient(
            settings.address(kiosk),
            settings.wire_port,
            folder / "line.pem",
            folder / "line.key",
            folder / "line-ca.pem",
            clock,
        )
        stack.callback(line.close)
        centre = CentreClient(
            line,
            device_key=_private_key(folder / "device.key"),
            root=_public_key(settings.root_public_key),
            versions=journal,
            clock=clock,
            entropy=entropy,
        )

        def open_printer() -> "PrinterSession":
            return PrinterSession(settings.address(kiosk), settings.printer_port, clock)

        yield Ports(
            identity=Identity(
                kiosk=kiosk,
                centre=settings.centre,
                environment=settings.environment,
                software=f"kofu {metadata.version('kofu')}",
                layouts={kind: layout_digest(kind) for kind in Kind},
            ),
            reader=card_reader,
            cards=stack.enter_context(closing(cards(kiosk, settings, card_reader))),
            centre=centre,
            coins=coins,
            printer=open_printer,
            drawing=lambda: DrawingProcess(clock),
            journal=journal,
            clock=clock,
            entropy=entropy,
            incident=lambda: record_incident(settings.log, "kofu-kiosk"),
            keep_pages=keep_pages,
        )


def settle(parts: Ports) -> Settled:
    """Settle what an earlier process of this kiosk left unfinished."""
    return settle_unfinished(parts.journal, parts.coins, parts.centre)


@contextmanager
def _alone(folder: Path, kiosk: str) -> Iterator[None]:
    try:
        file = (folder / IN_USE).open("a")
    except OSError as error:
        raise UsageError(
            f"the folder {folder} of kiosk {kiosk} cannot be used ({error.strerror}); "
            f"enrol it with 'kofu-line kiosk add {kiosk}'"
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(
                f"another process is running kiosk {kiosk}; end it first, or use another kiosk"
            ) from None
        yield


def _private_key(file: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise UsageError(f"the key {file} cannot be read; enrol the kiosk again") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise UsageError(f"the key {file} is not a P-256 key; enrol the kiosk again")
    return key


def _public_key(file: Path) -> ec.EllipticCurvePublicKey:
    try:
        key = load_pem_public_key(file.read_bytes())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"the pinned root {file} cannot be read; publish it with 'kofu-backend keys init'"
        ) from error
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise UsageError(f"the pinned root {file} is not a P-256 key")
    return key


__all__ = [
    "HeldCard",
    "OpenPrinter",
    "card_faults",
    "cards",
    "coin_unit",
    "hand",
    "held_card",
    "keep_pages_in",
    "only_in_simulation",
    "personas",
    "ports",
    "reader",
    "settle",
    "warn",
]
