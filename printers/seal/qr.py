"""A seal becomes a QR code, dot for dot."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import segno
from PIL import Image

from dedicated_line.contract.seal import to_qr_text
from dedicated_line.errors import KofuError

QUIET_ZONE = 4
"""Modules; ISO/IEC 18004, section 5.3.8."""
LEAST_DOTS = 4
"""Dots a module; the least that still reads after a copy, a crease or a dead head line."""
MOST_DOTS = 6
MASK: Final = 3
"""Of the eight; a seal's bits are as good as random, so that none is worse, and trying all takes
longer than drawing the page."""
COMFORTABLE_SIDE = 380
"""Dots; a larger module is taken only while the code stays within this side."""
LARGEST_SIDE = 544
"""Dots; what fits between the margins of a page."""


class SealTooLargeError(KofuError):
    """The seal does not fit into a QR code that the paper can hold."""


@dataclass(frozen=True)
class QrCode:
    """A QR code in dots: `image` is square, 1-bit, quiet zone included."""

    image: Image.Image

    @property
    def side(self) -> int:
        """Return width and height in dots."""
        return self.image.width

    def svg(self) -> str:
        """Return the same dots as a drawing whose unit is one dot."""
        ink = ~np.asarray(self.image)
        parts = []
        edges = np.diff(np.pad(ink, ((0, 0), (1, 1))).astype(np.int8), axis=1)
        top = 0
        while top < self.side:
            bottom = top + 1
            while bottom < self.side and bool((ink[bottom] == ink[top]).all()):
                bottom += 1
            starts = np.flatnonzero(edges[top] == 1)
            ends = np.flatnonzero(edges[top] == -1)
            parts += [
                f"M{start} {top}H{end}V{bottom}H{start}z"
                for start, end in zip(starts, ends, strict=True)
            ]
            top = bottom
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.side}" height="{self.side}" '
            f'viewBox="0 0 {self.side} {self.side}"><path d="{"".join(parts)}"/></svg>'
        )


def draw_qr(seal: bytes) -> QrCode:
    """Return the QR code of a page's seal (level M); SealTooLargeError when paper has no room."""
    try:
        code = segno.make_qr(to_qr_text(seal), error="m", boost_error=False, mask=MASK)
    except segno.DataOverflowError as error:
        raise SealTooLargeError("the seal is too large for a QR code") from error
    modules = np.array([list(line) for line in code.matrix], dtype=bool)
    count = modules.shape[0] + 2 * QUIET_ZONE
    dots = max(LEAST_DOTS, min(MOST_DOTS, COMFORTABLE_SIDE // count))
    if count * dots > LARGEST_SIDE:
        raise SealTooLargeError("the seal is too large for a QR code that the paper can hold")
    ink = np.kron(np.pad(modules, QUIET_ZONE), np.ones((dots, dots), dtype=bool))
    return QrCode(Image.fromarray(~ink))
