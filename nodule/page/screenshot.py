"""A picture of the page for those who have not run anything yet."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from nodule.errors import InputError
from nodule.page.browser import browse, find_chromium
from nodule.whole_files import write_whole

_WINDOW = (2200, 1560)
_WIDTH = 1400
_GREYS, _COLOURS = 176, 80  # together what a palette holds
_COLOURED = 16  # between the brightest and the darkest of red, green and blue
_LOAD_MS = 10_000  # of the browser's own clock, for the script to unpack the volume
# two columns: what was found, and where to look at it; the rest of the page is left out
_STYLE = """
:root { color-scheme: light; }
.top, main { max-width: none; }
main { display: grid; grid-template: auto auto auto 1fr / 1fr 1fr; gap: 18px; align-items: start; }
main > section { margin: 0; }
.impression, .exam, section:has(#findings) { grid-column: 1; }
section:has(#findings) { grid-row: 3 / span 2; }
.viewer { grid-area: 1 / 2 / span 3; }
.management { grid-area: 4 / 2; }
main > section:not(.exam, .impression, :has(#findings), .management, .viewer) { display: none; }
.management > :not(h2, .cards) { display: none; }
#viewer-keys, .advice p:nth-of-type(n+4), footer { display: none; }
"""
_EDGE = _WINDOW[1] - 42  # where the padding of the last section and a margin still have room
# what crosses the edge is left out whole, once the viewer has taken its place
_SCRIPT = """
const waiting = setInterval(() => {{
  if (!document.querySelector("#viewer[data-ready]")) return;
  clearInterval(waiting);
  const below = (part) => part.getBoundingClientRect().bottom > {edge};
  for (const parts of ["tbody tr, .says > p, .advice p", ".advice"]) {{
    [...document.querySelectorAll(parts)].filter(below).forEach((part) => part.remove());
  }}
}}, 50);
"""
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def write_picture(
    html_path: Path,
    picture_path: Path,
    *,
    chromium: str | None = None,
    timeout_s: float = 120.0,
) -> Path:
    """Take a picture of a page's first parts and its viewer, side by side, as a small PNG.

    Its height is fixed; a row or a paragraph that has no room is left out.

    Parameters
    ----------
    html_path : a page with a viewer.
    picture_path : appears whole or not at all.
    chromium : the browser's program; None for the first that is found on the PATH.
    timeout_s : how long to wait for it.

    Raises
    ------
    ReportError : ``NO_CHROMIUM`` or ``PICTURE_FAILED``.
    InputError : ``NO_SUCH_FILE``.
    """
    program = chromium or find_chromium()
    if not html_path.is_file():
        raise InputError(
            "there is no page to take a picture of", code="NO_SUCH_FILE", got=html_path.name
        )
    page = _arranged(html_path.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="nodule-") as scratch:
        arranged = Path(scratch) / "report.html"
        arranged.write_text(page, encoding="utf-8")
        width, height = _WINDOW
        shot = browse(
            arranged,
            output="--screenshot",
            suffix=".png",
            flags=(
                "--hide-scrollbars",
                f"--window-size={width},{height}",
                f"--virtual-time-budget={_LOAD_MS}",
            ),
            program=program,
            code="PICTURE_FAILED",
            timeout_s=timeout_s,
        )
    return write_whole(picture_path, _small(shot))


def _arranged(page: str) -> str:
    # the page's policy forbids any style and script but its own
    page = _POLICY.sub("", page, count=1)
    page = page.replace("</head>", f"<style>{_STYLE}</style></head>", 1)
    return page.replace("</body>", f"<script>{_SCRIPT.format(edge=_EDGE)}</script></body>", 1)


def _small(png: bytes) -> bytes:
    """Shrink a screenshot to the width of a README, in few colours."""
    with Image.open(io.BytesIO(png)) as image:
        height = round(image.height * _WIDTH / image.width)
        shrunk = image.convert("RGB").resize((_WIDTH, height), Image.Resampling.LANCZOS)
    few = shrunk.quantize(palette=_palette(shrunk), dither=Image.Dither.NONE)
    stream = io.BytesIO()
    few.save(stream, format="PNG", optimize=True)
    return stream.getvalue()


def _palette(image: Image.Image) -> Image.Image:
    """Return greys for the slices, and colours that the few coloured pixels choose alone."""
    pixels = np.asarray(image).reshape(-1, 3)
    coloured = pixels[np.ptp(pixels, axis=1) > _COLOURED]
    rare = Image.Quantize.MAXCOVERAGE
    chosen = Image.fromarray(coloured[None]).quantize(_COLOURS, method=rare).getpalette() or []
    greys = np.linspace(0, 255, _GREYS).round().astype(int).repeat(3).tolist()
    palette = Image.new("P", (1, 1))
    palette.putpalette([*greys, *chosen[: 3 * _COLOURS]])
    return palette
