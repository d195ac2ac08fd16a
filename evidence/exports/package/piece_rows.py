"""Rows of the table of evidence on a control's page: ten thousand, written in one go.

A template for each cell took as long as hashing the files.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from evidence.exports.package.files import Placed


class EvidencePiece(Protocol):
    """What a row says."""

    @property
    def row(self) -> Mapping[str, Any]:
        """What the index knows of it."""

    @property
    def placed(self) -> Placed:
        """Where its file lies."""

    @property
    def state(self) -> str:
        """As people read it."""

    @property
    def about_to(self) -> dt.date:
        """The last day it is about."""


def piece_rows(pieces: Iterable[EvidencePiece]) -> SafeString:
    """A row for each piece; every text in it is escaped here."""
    return mark_safe("".join(map(_row, pieces)))  # noqa: S308 - see `_row`


def _row(piece: EvidencePiece) -> str:
    row = piece.row
    days = (row["performed_on"], row["period_from"], piece.about_to)
    performed, since, until = ("" if day is None else day.isoformat() for day in days)
    return (
        f"<tr><td>{escape(row['title'])}</td><td>{escape(piece.state)}</td>"
        f"<td>{performed}</td><td>{since} to {until}</td>"
        f"<td>{escape(row['reviewer'] or '')}</td>"
        f"<td>{_file(piece.placed, row.get('name') or 'file')}<br>"
        f"<code>{escape(row['sha256'] or '')}</code></td></tr>\n"
    )


def _file(placed: Placed, title: str) -> str:
    """As `partials/file.html` has it."""
    shown = escape(title)
    if placed.path:
        address = quote("../" + placed.path.replace("data/", ""))
        return f'<a href="{escape(address)}">{shown}</a>'
    if placed.withheld:
        return f"{shown}: {escape(placed.withheld)}"
    return f"{shown} (no file)"
