"""``kofu-printer draw``."""

from pathlib import Path

import click
from pydantic import ValidationError

from dedicated_line.contract.residence import ResidenceCertificate
from dedicated_line.errors import UsageError


@click.command()
@click.argument("document", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--out",
    required=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for page-1.png, … and pages.pdf.",
)
def draw_document(document: Path | None, out: Path) -> None:
    """Draw DOCUMENT (JSON of a residence certificate), or a made-up one, to look at its layout.

    The pages are marked 見本, and their seal is by a key that nobody trusts.
    """
    from printers.pages.preview import preview
    from printers.pages.service import layout_digest
    from printers.pages.specimen import specimen_document

    if document is None:
        certificate = specimen_document("0" * 64)
    else:
        try:
            certificate = ResidenceCertificate.model_validate_json(document.read_bytes())
        except OSError as error:
            raise UsageError(f"cannot read {document} ({error.strerror})") from error
        except ValidationError as error:
            place = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise UsageError(f"{document} is not a residence certificate: see {place}") from None
    drawn = preview(certificate)
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "pages.pdf").write_bytes(drawn.pdf)
        for number, page in enumerate(drawn.pages, 1):
            page.save(out / f"page-{number}.png")
    except OSError as error:
        raise UsageError(f"cannot write into {out} ({error.strerror})") from error
    print(f"{len(drawn.pages)} pages in {out}, layout {layout_digest(certificate.kind)}")
