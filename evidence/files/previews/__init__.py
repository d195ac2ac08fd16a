"""Evidence shown in the browser without running anything of it.

Pictures and pages are drawn anew by a process with limits; text and tables are text.
"""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from controls.errors import Refused
from evidence.files.checks.kinds import OOXML

SCRIPT = Path(__file__).with_name("render.py")
TEXT_BYTES = 200_000
ROWS, COLUMNS, CELL = 200, 40, 300
PATIENCE = 30  # seconds
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
}


@dataclass(frozen=True)
class RenderedPage:
    """What a preview shows: a picture (PNG), or rows, or text, of some pages."""

    pages: int = 1
    png: bytes = b""
    rows: list[list[str]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    text: str = ""
    cut: bool = False


def kind_of(media_type: str) -> str:
    """How a type is shown: picture, page, sheet, table, text; empty: by name only."""
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
    return _rendered(body, kind, number)


def _text(body: BinaryIO) -> RenderedPage:
    head = body.read(TEXT_BYTES + 1)
    wide = head[:2] in {b"\xff\xfe", b"\xfe\xff"}
    text = head[:TEXT_BYTES].decode("utf-16" if wide else "utf-8", "replace")
    return RenderedPage(text=text, cut=len(head) > TEXT_BYTES)


def _table(body: BinaryIO) -> RenderedPage:
    shown = _text(body)
    lines = io.StringIO(shown.text.lstrip("\ufeff"))
    try:
        delimiter = csv.Sniffer().sniff(shown.text[:4096], delimiters=",;\t|").delimiter
    except csv.Error:
        delimiter = ","
    rows = []
    try:
        for row in csv.reader(lines, delimiter=delimiter):
            rows.append([cell[:CELL] for cell in row[:COLUMNS]])
            if len(rows) > ROWS:
                return RenderedPage(rows=rows[:ROWS], cut=True)
    except csv.Error:
        return shown
    return RenderedPage(rows=rows, cut=shown.cut)


def _rendered(body: BinaryIO, kind: str, number: int) -> RenderedPage:
    command = [sys.executable, "-I", str(SCRIPT), kind, str(number)]
    try:
        done = subprocess.run(  # noqa: S603 - our own script, numbers only
            command, input=body.read(), capture_output=True, timeout=PATIENCE
        )
    except subprocess.TimeoutExpired as slow:
        raise Refused(
            "This file takes too long to render_preview. Download it instead."
        ) from slow
    if done.returncode:
        raise Refused("This file cannot be drawn here. Download it instead.")
    line, _, png = done.stdout.partition(b"\n")
    about = json.loads(line)
    return RenderedPage(
        pages=about["pages"],
        png=png,
        rows=about.get("rows", []),
        names=about.get("names", []),
        cut=len(about.get("rows", [])) >= ROWS,
    )
