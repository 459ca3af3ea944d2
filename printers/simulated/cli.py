"""``kofu-printer emulate`` and ``kofu-printer fault``."""

import re
import signal
import threading
from pathlib import Path

import click

from dedicated_line.errors import UsageError

LISTEN = re.compile(r"^(k[0-9]{6})=([0-9.]+):([0-9]{1,5})$")


def _addresses(listen: tuple[str, ...]) -> dict[str, tuple[str, int]]:
    result = {}
    for text in listen:
        form = LISTEN.match(text)
        if form is None:
            raise UsageError(f"--listen {text}: write it as k000001=127.1.0.1:9100")
        result[form[1]] = (form[2], int(form[3]))
    return result


@click.command()
@click.option(
    "--listen",
    multiple=True,
    metavar="KIOSK=HOST:PORT",
    help="A printer and its address; may be given again. Default: the sample world's two kiosks "
    "at KOFU_PRINTER_PORT.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where papers are laid: KIOSK/000001.png and .escpos. Default: printers/ in the state "
    "folder.",
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="MM/S",
    help="Paper's speed in millimetres a second; 0, the default, prints at once.",
)
def emulate(listen: tuple[str, ...], out: Path | None, speed: float) -> None:
    """Run simulated ESC/POS printers on TCP until stopped.

    Each cut lays a picture (.png) and the bytes that made it (.escpos) into the kiosk's folder.
    """
    from printers.bootstrap import Emulator

    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _signal, _frame: stop.set())
    emulator = Emulator(_addresses(listen), out, speed * 8, lambda line: print(line, flush=True))
    try:
        places = ", ".join(
            f"{kiosk} at {printer.address[0]}:{printer.address[1]}"
            for kiosk, printer in emulator.printers.items()
        )
        print(f"simulated printers ready: {places}", flush=True)
        stop.wait()
    finally:
        emulator.close()


@click.command()
@click.argument("kiosk")
@click.argument("fault")
@click.option(
    "--after-rows",
    type=click.IntRange(min=0),
    help="Fail only after so many more rows of dots have been printed (8 are a millimetre).",
)
def fault(kiosk: str, fault: str, after_rows: int | None) -> None:
    """Make the running simulated printer of KIOSK fail, or mend it.

    FAULT is one of: well, paper-end, near-end, cover-open, cutter-jam, offline, power-off,
    silent, wrong-process-id.
    """
    from printers.bootstrap import SimulatedFault, make_fail

    if fault not in list(SimulatedFault):
        raise UsageError(f"there is no fault {fault}; choose from {', '.join(SimulatedFault)}")
    make_fail(kiosk, SimulatedFault(fault), after_rows)
    print(f"{kiosk}: {fault}" + (f" after {after_rows} rows" if after_rows is not None else ""))
