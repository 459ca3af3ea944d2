"""``kofu-printer verify``."""

from pathlib import Path

import click

from dedicated_line.errors import Exit


@click.command()
@click.argument("path", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The key list, as the centre publishes it (key-list.cose).",
)
@click.option(
    "--root",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The pinned root of the key list (PEM). Default: trust/root.pem in the state folder.",
)
def verify(path: Path, keys: Path, root: Path | None) -> int:
    """Verify each seal on a picture (PNG, JPEG) or PDF of a certificate.

    Exit code 0 when there is at least one seal and all hold, 1 when not, 2 on wrong usage. What
    stands on the paper beside the QR code has to be compared by whoever reads it.
    """
    from printers.bootstrap import trusted_keys
    from printers.seal.report import report_on
    from printers.seal.scan import pictures

    lines, good = report_on(pictures(path), trusted_keys(keys, root))
    print("\n".join(lines))
    return Exit.SERVED if good else Exit.FAULT
