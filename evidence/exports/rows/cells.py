"""Cells that people typed, as a spreadsheet may be given them."""

from __future__ import annotations

# Cells that begin so would be taken for a formula (IN-04).
LIVE = tuple("=+-@\t\r\n\0＝＋－＠")

# First in each CSV: without it Excel reads UTF-8 as the code page of its machine.
EXCEL_MARK = "\ufeff"


def inert(text: str) -> str:
    """The text, with a quote before it where a spreadsheet would execute it."""
    return f"'{text}" if text.startswith(LIVE) else text
