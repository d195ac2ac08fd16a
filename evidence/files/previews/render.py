"""Draws one picture or page. Runs confined: see `DRAW` for its limits."""

from __future__ import annotations

import io
import json
from typing import Any, BinaryIO

MAX_WIDTH = 1600  # pixels of a shown picture
MAX_PIXELS = 60_000_000
CHECK = 8  # pixels of a side
DARKER, LIGHTER = (112, 112, 112, 255), (144, 144, 144, 255)


def picture(body: BinaryIO, number: int) -> tuple[dict[str, Any], bytes]:
    """The picture, drawn anew and made smaller."""
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with Image.open(body, formats=["PNG", "JPEG"]) as original:
        shown = eight_bits(original)
        shown.thumbnail((MAX_WIDTH, MAX_WIDTH * 4))
        upright = ImageOps.exif_transpose(shown)
        return {"pages": 1}, png(on_checks(upright))


def eight_bits(picture: Any) -> Any:
    """The picture with 16 bits a pixel scaled to 8; Pillow would clip them to white."""
    if not picture.mode.startswith("I"):
        return picture
    return picture.convert("I").point(lambda value: value * (1 / 257)).convert("L")


def on_checks(picture: Any) -> Any:
    """The picture as RGB, what is transparent of it on checks of two greys.

    Ink of any colour, white and black too, differs from one of the greys.
    """
    from PIL import Image

    if not picture.has_transparency_data:
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    width, height = layer.size
    ground = Image.new("RGBA", layer.size, DARKER)
    square = Image.new("RGBA", (CHECK, CHECK), LIGHTER)
    for top in range(0, height, CHECK):
        for left in range(top % (2 * CHECK), width, 2 * CHECK):
            ground.paste(square, (left, top))
    return Image.alpha_composite(ground, layer).convert("RGB")


def page(body: BinaryIO, number: int) -> tuple[dict[str, Any], bytes]:
    """One page of a PDF with what its form fields hold; scripts are not run."""
    import pypdfium2

    document = pypdfium2.PdfDocument(body.read())
    document.init_forms()  # without a platform for scripts; before a page is read
    pages = len(document)
    drawn = document[min(max(number, 1), pages) - 1]
    width, height = drawn.get_size()
    scale = min(2.0, MAX_WIDTH / max(width, 1), MAX_WIDTH * 4 / max(height, 1))
    shown = drawn.render(scale=scale, may_draw_forms=True).to_pil()
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
