"""What a picture file holds besides its picture: notes, and bytes after its end."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import BinaryIO

from evidence.files.checks.kinds import refuse

HEAD = 1024  # bytes in which a PDF may begin
MAX_NOTE = 20_000_000  # bytes of one note; PNG allows 2 GB
PAGE = re.compile(
    rb"<\s*(!doctype\s+html|html|script|svg|iframe|body|\?php)\b", re.IGNORECASE
)
PIXELS = {b"IHDR", b"PLTE", b"IDAT", b"fdAT"}
# What else begins so: archives, programs, documents of old Office versions.
OTHERS = (b"PK", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b", b"MZ", b"\x7fELF", b"%PDF-")
JPEG = b"\xff\xd8"
MARKERS_ALONE = {0x01, *range(0xD0, 0xD9)}
SCAN, END = 0xDA, 0xD9


def flags_of(file: BinaryIO, name: str, kind: str) -> set[str]:
    """Flags of a PNG or JPEG that was found whole.

    Raises BadContent for one that is a PDF, a program, an archive or a page as well.
    """
    file.seek(0)
    if b"%PDF-" in file.read(HEAD):
        raise refuse(name, "is a picture and a PDF at once")
    file.seek(0)
    notes = _png_notes(file) if kind == "PNG" else _jpeg_notes(file.read())
    for is_after, note in notes:
        if PAGE.search(note):
            raise refuse(name, "is a picture and a web page at once")
        if is_after:
            rest = note.lstrip(b"\0\r\n ")
            if rest.startswith(OTHERS):
                raise refuse(name, "is a picture and another file at once")
            if rest and not rest.startswith(JPEG):
                return {"trailing-bytes"}
    return set()


def _png_notes(file: BinaryIO) -> Iterator[tuple[bool, bytes]]:
    """Parts that are no pixels, and whether they follow the end."""
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        if kind in PIXELS:
            file.seek(length + 4, 1)
            continue
        yield False, file.read(min(length, MAX_NOTE))
        file.seek(max(0, length - MAX_NOTE) + 4, 1)
        if kind == b"IEND":
            yield True, file.read()
            return


def _jpeg_notes(body: bytes) -> Iterator[tuple[bool, bytes]]:
    """The same of a JPEG, whose pixels end at the first marker that is one."""
    at = 2
    while at + 4 <= len(body):
        if body[at] != 0xFF:
            yield True, body[at:]
            return
        marker = body[at + 1]
        if marker == 0xFF:
            at += 1
        elif marker == END:
            yield True, body[at + 2 :]
            return
        elif marker in MARKERS_ALONE:
            at += 2
        else:
            length = int.from_bytes(body[at + 2 : at + 4], "big")
            yield False, body[at + 4 : at + 2 + length]
            at += 2 + length
            if marker == SCAN:
                at = _end_of_scan(body, at)


def _end_of_scan(body: bytes, at: int) -> int:
    """Where the next marker stands: no escaped byte, no restart."""
    while (at := body.find(b"\xff", at)) >= 0:
        following = body[at + 1 : at + 2]
        if following not in {b"\0", b"\xff"} and not b"\xd0" <= following <= b"\xd7":
            return at
        at += 1 if following == b"\xff" else 2
    return len(body)
