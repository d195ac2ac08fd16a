"""Where a control stands in the list that somebody came from: what lies beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from evidence.forms.controls import ControlFilter
from evidence.status.clocks import Clocks
from evidence.status.control_filter import in_list_order, row_of
from evidence.status.control_status import named
from srm_project.requests import SignedInRequest

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ListPlace:
    """A control's place in a filtered list; `number` counts from 1, 0: not in it.

    `query` asks for the same list, the same day and the same window on another page.
    """

    number: int
    total: int
    previous: Row | None
    following: Row | None
    query: str
    filters: Mapping[str, str]
    words: str  # what the filters say; empty where there are none


def list_query(filters: Mapping[str, str], clocks: Clocks) -> str:
    """The GET parameters of a list, its filters and its clocks."""
    return "&".join(part for part in (urlencode(filters), clocks.query) if part)


def place_in_list(
    request: SignedInRequest, clocks: Clocks, implementation: int
) -> ListPlace:
    """The place of a control by the filters in the address of its page.

    One statement, two where filters look at how controls stand; those for verdicts
    judge the controls that the others leave.
    """
    rows = named(clocks.system, clocks.moment)
    chosen = ControlFilter(request.GET, rows=rows)
    filters = chosen.filters()
    ordered = [
        row_of(item)
        for item in in_list_order(
            clocks.system, clocks.moment, rows, filters, clocks.window
        )
    ]
    keys = [row["id"] for row in ordered]
    at = keys.index(implementation) if implementation in keys else -1
    return ListPlace(
        number=at + 1,
        total=len(ordered),
        previous=ordered[at - 1] if at > 0 else None,
        following=ordered[at + 1] if 0 <= at < len(ordered) - 1 else None,
        query=list_query(filters, clocks),
        filters=filters,
        words=", ".join(chosen.words()),
    )
