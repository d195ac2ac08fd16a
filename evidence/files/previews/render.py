"""Draws one picture or page. Runs confined: see `DRAW` for its limits."""

from __future__ import annotations

import io
import json
from typing import Any, BinaryIO

MAX_WIDTH = 1600  # pixels of a shown picture
MAX_PIXELS = 60_000_000


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


def answer_drawing(body: BinaryIO, answer: BinaryIO, kind: str, number: int) -> None:
    """The reader: one line of JSON (what it is part of), then a PNG."""
    draw = {"picture": picture, "page": page}[kind]
    about, drawn = draw(body, number)
    answer.write(json.dumps(about).encode() + b"\n" + drawn)
