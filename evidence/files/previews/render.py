"""Draws one picture or page in a process of its own.

Run as a script with the file as standard input: `render.py picture|page N`.
Writes one line of JSON (what it is part of), then PNG bytes or nothing. Imports
nothing of SRM: whatever a hostile file does, it does here, within these limits.
"""

from __future__ import annotations

import io
import json
import resource
import sys
from typing import Any, BinaryIO

MEMORY = 1_500_000_000  # bytes
SECONDS = 15  # of processor time
MAX_WIDTH = 1600  # pixels of a shown picture
MAX_PIXELS = 60_000_000


def limit() -> None:
    """Bound memory and time; no file may be written."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def picture(body: BinaryIO, number: int) -> tuple[dict[str, Any], bytes]:
    """The picture, drawn anew and made smaller."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(body, formats=["PNG", "JPEG"]) as original:
        original.thumbnail((MAX_WIDTH, MAX_WIDTH * 4))
        upright = ImageOps.exif_transpose(original)
        return {"pages": 1}, png(upright.convert("RGB"))


def page(body: BinaryIO, number: int) -> tuple[dict[str, Any], bytes]:
    """One page of a PDF; scripts and forms are not loaded."""
    import pypdfium2

    document = pypdfium2.PdfDocument(body.read())
    pages = len(document)
    drawn = document[min(max(number, 1), pages) - 1]
    width, height = drawn.get_size()
    scale = min(2.0, MAX_WIDTH / max(width, 1), MAX_WIDTH * 4 / max(height, 1))
    shown = drawn.render(scale=scale, may_draw_forms=False).to_pil()
    return {"pages": pages}, png(shown.convert("RGB"))


def png(picture: Any) -> bytes:
    """A picture as PNG, without what the original carried along."""
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def main() -> None:
    """Draw what the arguments ask for."""
    what = {"picture": picture, "page": page}[sys.argv[1]]
    body = sys.stdin.buffer
    if not body.seekable():
        body = io.BytesIO(body.read())  # type: ignore[assignment]
    limit()
    about, drawn = what(body, int(sys.argv[2]))
    sys.stdout.buffer.write(json.dumps(about).encode() + b"\n" + drawn)


if __name__ == "__main__":
    main()
