"""Keys of rows as an address or a form names them."""

from __future__ import annotations

from collections.abc import Iterable

MAX_DIGITS = 18  # of a key: every such number is one that the database can hold


def keys_among(texts: Iterable[object]) -> set[int]:
    """Those of the texts that can be the key of a row; others name nothing."""
    return {
        int(text)
        for text in map(str, texts)
        if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS
    }
