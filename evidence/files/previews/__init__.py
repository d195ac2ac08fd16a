"""Evidence shown in the browser without running anything of it.

Pictures and pages are drawn anew by a confined process; text and tables are text. Of an
archive the first page lists its files, and each of them is a further page.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from tempfile import SpooledTemporaryFile
from typing import BinaryIO, cast

from controls.confined import Heavy, Reader
from controls.errors import Refused
from controls.spreadsheets import Limits, read_records
from controls.spreadsheets.parsing import Record
from evidence.files.checks.kinds import ALLOWED, OOXML, ending_of

DRAW = Reader(
    module="evidence.files.previews.render",
    name="answer_drawing",
    memory=1_500_000_000,
    processor=15,
    seconds=30,
    answer=60_000_000,
    libraries=("PIL.Image", "PIL.ImageOps", "pypdfium2"),
)
LOOK_INSIDE = Reader(
    module="evidence.files.previews.archive",
    name="answer_contents",
    memory=256_000_000,
    processor=15,
    seconds=30,
    written=60_000_000,
    answer=60_000_000,
)
TAKE_OUT = replace(LOOK_INSIDE, name="answer_member")
IN_MEMORY = 4_000_000  # bytes of a file of an archive; a larger one waits on the disk
NOT_DRAWN = "This file cannot be drawn here. Download it instead."
CHUNK = 256 * 1024
MAX_TEXT_BYTES = 200_000
MAX_ROWS, MAX_COLUMNS, MAX_CELL = 200, 40, 300
LIMITS = Limits(
    max_lines=MAX_ROWS, max_columns=MAX_COLUMNS, max_cell=MAX_CELL, preview=True
)
LEFT_OUT = {
    "lines": f"lines after the first {MAX_ROWS}",
    "columns": f"columns after the first {MAX_COLUMNS}",
    "cells": f"the rest of texts of more than {MAX_CELL} characters",
    "charts": "sheets that are charts",
    "drawings": "pictures, charts and shapes",
    "comments": "comments",
}
KINDS = {
    "image/png": "picture",
    "image/jpeg": "picture",
    "application/pdf": "page",
    OOXML + "spreadsheetml.sheet": "sheet",
    "text/csv": "table",
    "text/plain": "text",
    "text/markdown": "text",
    "application/json": "text",
    "application/xml": "text",
    "application/zip": "archive",
}


@dataclass(frozen=True)
class RenderedPage:
    """What a preview shows: a picture (PNG), or rows, or text, of some pages.

    `cut` where it is not all; `left_out` names what is missing; `title` is the name of
    a sheet, or of a file of an archive. `files` are those of an archive: name, bytes,
    last change. One that shows none of them is known by its name only.
    """

    pages: int = 1
    png: bytes = b""
    rows: list[list[str]] = field(default_factory=list)
    title: str = ""
    text: str = ""
    files: list[tuple[str, int, str]] = field(default_factory=list)
    cut: bool = False
    left_out: tuple[str, ...] = ()

    @property
    def by_name_only(self) -> bool:
        """Whether nothing of what it holds can be shown."""
        return not (self.png or self.rows or self.text or self.files)


def kind_of(media_type: str) -> str:
    """How a type is shown: picture, page, sheet, table, text, archive; empty: by name
    only."""
    return KINDS.get(media_type, "")


def render_preview(body: BinaryIO, media_type: str, number: int = 1) -> RenderedPage:
    """A preview of one page (from 1; beyond the last: the last).

    Raises Refused when the file cannot be shown, LookupError when its kind is not.
    """
    kind = KINDS[media_type]
    if kind == "text":
        return _text(body)
    if kind == "table":
        return _table(body)
    if kind == "sheet":
        return _sheet(body, number)
    if kind == "archive":
        return _contents(body) if number == 1 else _file_of(body, number - 1)
    return _rendered(body, kind, number)


def _text(body: BinaryIO) -> RenderedPage:
    head = body.read(MAX_TEXT_BYTES + 1)
    wide = head[:2] in {b"\xff\xfe", b"\xfe\xff"}
    text = head[:MAX_TEXT_BYTES].decode("utf-16" if wide else "utf-8", "replace")
    return RenderedPage(text=text, cut=len(head) > MAX_TEXT_BYTES)


def _table(body: BinaryIO) -> RenderedPage:
    """The beginning of a CSV file as rows; as text where it is no table."""
    head = body.read(MAX_TEXT_BYTES + 1)
    cut = len(head) > MAX_TEXT_BYTES
    try:
        table = io.BytesIO(head[:MAX_TEXT_BYTES])
        page = _rows(read_records(table, "table.csv", LIMITS), LIMITS)
    except Refused:
        return _text(io.BytesIO(head))
    rest = (f"what follows {MAX_TEXT_BYTES:,} bytes",) if cut else ()
    left_out = page.left_out or rest
    return replace(page, cut=page.cut or cut, left_out=left_out)


def _sheet(body: BinaryIO, number: int) -> RenderedPage:
    """The beginning of one sheet (from 1) as rows."""
    try:
        limits = replace(LIMITS, sheet=number - 1)
        return _rows(read_records(body, "workbook.xlsx", limits), limits)
    except Refused as refusal:
        raise Refused(NOT_DRAWN) from refusal


def _rows(records: Iterable[Record], limits: Limits) -> RenderedPage:
    rows: list[list[str]] = []
    names: list[str] = []
    left_out: dict[str, None] = {}
    for record in records:
        if record[0] == "sheet":
            names.append(f"{record[1]} (hidden)" if record[2] else record[1])
        elif record[0] == "line":
            rows.append(record[2])
        elif record[0] == "cut":
            left_out[LEFT_OUT[record[1]]] = None
    width = max(map(len, rows), default=0)
    return RenderedPage(
        pages=len(names),
        rows=[row + [""] * (width - len(row)) for row in rows],
        title=names[min(limits.sheet or 0, len(names) - 1)],
        cut=bool(left_out),
        left_out=tuple(left_out),
    )


def _rendered(body: BinaryIO, kind: str, number: int) -> RenderedPage:
    try:
        with DRAW.read(body, kind, number) as answer:
            about = json.loads(answer.readline())
            return RenderedPage(pages=about["pages"], png=answer.read())
    except Heavy as heavy:
        raise Refused(NOT_DRAWN) from heavy


def _contents(body: BinaryIO) -> RenderedPage:
    try:
        with LOOK_INSIDE.read(body) as answer:
            files = [(name, size, changed) for name, size, changed in json.load(answer)]
    except Heavy as heavy:
        raise Refused(NOT_DRAWN) from heavy
    return RenderedPage(pages=1 + len(files), title="Contents", files=files)


def _file_of(body: BinaryIO, number: int) -> RenderedPage:
    """The first page of a file of an archive (from 1), as that file by itself."""
    try:
        with (
            SpooledTemporaryFile(max_size=IN_MEMORY) as spooled,
            TAKE_OUT.read(body, number) as answer,
        ):
            about = json.loads(answer.readline())
            while chunk := answer.read(CHUNK):
                spooled.write(chunk)
            media_type = ALLOWED.get(ending_of(about["name"]), "")
            page = RenderedPage()
            if spooled.tell() and kind_of(media_type) not in {"", "archive"}:
                spooled.seek(0)
                page = render_preview(cast("BinaryIO", spooled), media_type)
    except Heavy as heavy:
        raise Refused(NOT_DRAWN) from heavy
    left_out = page.left_out
    if page.pages > 1:
        sort = "sheets" if kind_of(media_type) == "sheet" else "pages"
        left_out = (*left_out, f"{sort} after the first")
    return replace(
        page,
        pages=1 + about["files"],
        title=about["name"],
        cut=page.cut or bool(left_out),
        left_out=left_out,
    )
