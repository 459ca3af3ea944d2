"""``kofu-kiosk run``: a kiosk with its screen."""

import re

import click

from kiosk.settings import SCREEN_KIOSK


@click.command()
@click.option("--kiosk", default=SCREEN_KIOSK, show_default=True, help="Which kiosk this is.")
def run(*, kiosk: str) -> None:
    """Run a kiosk: journey, screen and heartbeat, until SIGTERM or Ctrl-C.

    The screen is a page on loopback, port KOFU_KIOSK_PORT; open it in a browser of 1080 × 1920.
    Needs the centre, the line and the printer for a certificate, and pcscd for a card: put one on
    the reader with 'kofu-kiosk card insert PERSONA'. With KOFU_CARD=in-process the page itself
    offers the cards. Coins are put in on the page (simulation).
    """
    from dedicated_line.errors import UsageError
    from kiosk.settings import KioskSettings
    from kiosk.web.bootstrap import run_screen

    if not re.fullmatch(r"k[0-9]{6}", kiosk):
        raise UsageError("--kiosk takes an id such as k000001")
    run_screen(kiosk, KioskSettings.load())
