"""``make demo``: start everything, serve one resident, and show where the paper lies."""

import argparse
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from running import (
    ROOT,
    CannotRunError,
    Running,
    pcscd_can_start,
    pcscd_runs,
)

from dedicated_line.clock import SystemClock

CLOCK = SystemClock()
EXIT_WORDS = {0: "served", 1: "fault", 2: "usage", 3: "refused"}
JOURNEY_KIOSK = "k000002"
JOURNEY_SECONDS = 180


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--once", action="store_true", help="end after the certificate")
    parser.add_argument("--persona", default="shimonoseki-taro", help="whose card is held up")
    parser.add_argument("--pin", help="the PIN that is typed (the persona's own if left out)")
    parser.add_argument("--kind", help="which certificate")
    parser.add_argument("--members", choices=("self", "all"), help="who stands on the paper")
    parser.add_argument("--wire", default="none", help="profile of the simulated wire")
    parser.add_argument("--card", choices=("pcscd", "in-process"), help="how the card is read")
    return parser.parse_args()


def _card(asked: str | None) -> str:
    """Decide how the card is read; warn when it is not by a real pcscd."""
    if asked == "in-process":
        return asked
    reason = "" if pcscd_runs() else pcscd_can_start()
    if not reason:
        return "pcscd"
    if asked == "pcscd":
        raise CannotRunError(f"{reason}; or give CARD=in-process.")
    print(f"WARNING: {reason}. Going on with the card in the kiosk's own process.", file=sys.stderr)
    return "in-process"


def _only_one(var: Path) -> object:
    """Hold the folder's lock for as long as this process lives."""
    try:
        var.mkdir(parents=True, exist_ok=True)
        lock = (var / "demo.lock").open("w")
    except OSError as error:
        raise CannotRunError(
            f"the folder {var} cannot be written ({error.strerror}); "
            "make it writable, or set KOFU_VAR to another."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise CannotRunError(f"another demo is using the folder {var}; end it first.") from None
    return lock


def _step(started: float, text: str) -> None:
    print(f"[{CLOCK.monotonic() - started:6.2f} s] {text}", flush=True)


def _journey(system: Running, arguments: argparse.Namespace, pages: Path) -> int:
    words = ["kofu-kiosk", "journey", arguments.persona, "--card", system.card]
    words += ["--keep-pages", str(pages)]
    for option in ("pin", "kind", "members"):
        if getattr(arguments, option):
            words += [f"--{option}", getattr(arguments, option)]
    with subprocess.Popen(words, env=system.environment, cwd=ROOT) as journey:  # noqa: S603 - ours
        try:
            return journey.wait(JOURNEY_SECONDS)
        except subprocess.TimeoutExpired:
            journey.terminate()
            raise CannotRunError(f"the journey did not end in {JOURNEY_SECONDS} s") from None


def _collect(system: Running, before: set[Path], pages: Path) -> list[Path]:
    """Copy what came out of the printer since `before` to ``certificate-N.…``."""
    printed = sorted(set((system.state / "printers" / JOURNEY_KIOSK).glob("*.png")) - before)
    copies = []
    for count, picture in enumerate(printed, start=1):
        for suffix in (".png", ".escpos"):
            target = pages / f"certificate-{count}{suffix}"
            shutil.copyfile(picture.with_suffix(suffix), target)
            copies.append(target)
        pdf = pages / f"certificate-{count}.pdf"
        copies += [pdf] if pdf.exists() else []
    return copies


def _expectation(persona: str, system: Running) -> str:
    """Return what the world's own table says of this persona today."""
    said = system.command("kofu-backend", "world", "expect", persona)
    return said.stdout.strip() if said.returncode == 0 else ""


def _show_screens(system: Running) -> None:
    host = "http://127.0.0.1:"
    ports = system.environment
    print("\nScreens:")
    print(f"  resident's kiosk      {host}{ports['KOFU_KIOSK_PORT']}/")
    print(f"  municipal staff       {host}{ports['KOFU_MUNICIPALITY_PORT']}/")
    print(f"  operators             {host}{ports['KOFU_OPERATORS_PORT']}/")
    passwords = system.state / "demo-passwords.txt"
    if passwords.exists():
        print("Log-in (simulation only):")
        for line in passwords.read_text("utf-8").splitlines():
            print(f"  {line}")
    var = "" if str(system.var) == "var" else f"KOFU_VAR={system.var} "
    print(f"Hold up a card at the screen:  {var}.venv/bin/kofu-kiosk card insert shimonoseki-taro")
    print(f"Everything the processes say:  {system.log}")


def _serve(system: Running, arguments: argparse.Namespace, started: float) -> int:
    pages = system.var / "demo"
    pages.mkdir(exist_ok=True)
    for old in pages.glob("certificate-*"):
        old.unlink()
    system.prepare()
    _step(started, "loading the sample world (once, and again on each new day)")
    said = system.load()
    _step(started, said.splitlines()[-1] if said else "the sample world is there")
    system.start()
    _step(started, f"{len(system.processes())} processes are ready")
    before = set((system.state / "printers" / JOURNEY_KIOSK).glob("*.png"))
    print(f"\n{arguments.persona} walks up to the kiosk\n", flush=True)
    code = _journey(system, arguments, pages)
    if system.wait_for_end(0):
        raise CannotRunError(f"{system.ended}; the demo stops. See {system.log}.")
    copies = _collect(system, before, pages)
    if copies:
        print("\nWhat came out of the printer:")
        for copy in copies:
            print(f"  {copy}")
        print(
            "  Verify it:  " + f".venv/bin/kofu-printer verify {copies[0]} "
            f"--keys {system.state / 'keys' / 'key-list.cose'}"
            + (
                ""
                if system.state == Path("var")
                else f" --root {system.state / 'trust' / 'root.pem'}"
            )
        )
    expected = _expectation(arguments.persona, system)
    if expected and not arguments.pin:
        print(f"The sample world expects for {arguments.persona}: {expected}")
    _step(started, f"exit code {code} ({EXIT_WORDS.get(code, 'unknown')})")
    _show_screens(system)
    if not arguments.once:
        print("\nCtrl-C ends everything.", flush=True)
        ended = system.wait_for_end()
        raise CannotRunError(f"{ended}; the demo stops. See {system.log}.")
    return code


def main() -> int:
    """Run the demo; return the journey's code (0 served, 1 fault, 2 usage, 3 refused)."""
    started = CLOCK.monotonic()
    arguments = _arguments()
    var = Path(os.environ.get("KOFU_VAR", "var"))
    system: Running | None = None
    code = 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        lock = _only_one(var)
        system = Running(
            var=var,
            card=_card(arguments.card),
            wire=arguments.wire,
            now=os.environ.get("KOFU_NOW") or None,
        )
        code = _serve(system, arguments, started)
        del lock
    except CannotRunError as error:
        print(f"demo: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\nending")
        code = 0
    finally:
        if system is not None:
            system.stop()
    if system is not None:
        print(f"card: {system.card}")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
