"""What a workbook or a report says, sheet by sheet, as rows of plain values.

Rows hold text, numbers, days (`date`) and None for nothing; how they look is the
format's. Everything is read for one `ExportScope` in its snapshot.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Value = str | int | dt.date | None
Kind = Literal["text", "long", "state", "number", "day"]


@dataclass(frozen=True)
class Column:
    """A column: its heading, what it holds, and its width in characters."""

    title: str
    kind: Kind = "text"
    width: int = 14


@dataclass(frozen=True)
class Sheet:
    """The name of a sheet and its columns."""

    title: str
    columns: Sequence[Column]


def columns(
    *named: tuple[str, Kind, int] | tuple[str, Kind] | str,
) -> tuple[Column, ...]:
    """Columns by heading, kind and width; text of the usual width unless they say."""
    return tuple(
        Column(name) if isinstance(name, str) else Column(*name) for name in named
    )


def words(code: str | None) -> str:
    """A code as people read it: `not_yet_due` is “not yet due”."""
    return "no such layer" if code == "none" else (code or "").replace("_", " ")


def joined(parts: Iterable[str]) -> str:
    """Sentences one after the other; empty ones are left out."""
    return " ".join(part for part in parts if part)
