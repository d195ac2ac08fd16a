"""Pictures: the header first, so that nothing huge is ever decoded."""

from __future__ import annotations

import warnings
from typing import BinaryIO

from PIL import Image, UnidentifiedImageError

from evidence.files.checks import archives, picture_parts
from evidence.files.checks.kinds import refuse

MAX_PIXELS = 60_000_000  # a wall of four 4K screens is 33 million
FAULTS = (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError)


def png(file: BinaryIO, name: str) -> set[str]:
    """A PNG within the pixel limit. Raises BadContent."""
    return _picture(file, name, "PNG")


def jpeg(file: BinaryIO, name: str) -> set[str]:
    """A JPEG within the pixel limit. Raises BadContent."""
    return _picture(file, name, "JPEG")


def _picture(file: BinaryIO, name: str, kind: str) -> set[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(file, formats=[kind]) as picture:
                width, height = picture.size
                if width * height > MAX_PIXELS:
                    reason = (
                        f"is a picture of {width} × {height} pixels, over the limit"
                    )
                    raise refuse(name, reason)
                picture.verify()
        except Image.DecompressionBombError as bomb:
            raise refuse(name, "is a picture over the pixel limit") from bomb
        except FAULTS as broken:
            reason = f"is not the {kind} picture that its ending says, or is damaged"
            raise refuse(name, reason) from broken
    archives.refuse_archive_besides(file, name, "picture")
    return picture_parts.flags_of(file, name, kind)
