"""The short list of what may be uploaded, and how a file that is not is refused."""

from __future__ import annotations

from dataclasses import dataclass

from controls.errors import Refused

OOXML = "application/vnd.openxmlformats-officedocument."
# ending -> media type it is served under
ALLOWED = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "txt": "text/plain",
    "log": "text/plain",
    "md": "text/markdown",
    "csv": "text/csv",
    "json": "application/json",
    "xml": "application/xml",
    "docx": OOXML + "wordprocessingml.document",
    "xlsx": OOXML + "spreadsheetml.sheet",
    "pptx": OOXML + "presentationml.presentation",
    "zip": "application/zip",
}
# Endings of what is checked without a library of pictures or documents.
TEXTS = frozenset({"txt", "log", "md", "csv", "json", "xml"})


@dataclass(frozen=True)
class Checked:
    """The media type to serve a file under, and what it can do by itself."""

    media_type: str
    flags: tuple[str, ...] = ()


class BadContent(Refused):
    """The bytes are not what may be uploaded; the sentence names the file."""


def ending_of(name: str) -> str:
    """The ending of a name in lower case, without the dot; empty without one."""
    stem, dot, ending = name.rpartition(".")
    return ending.lower() if dot and stem else ""


def refuse(name: str, why: str) -> BadContent:
    """The refusal of one file, to be raised."""
    return BadContent(f"“{name}” {why}. Nothing was stored.")
