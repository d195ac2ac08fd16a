"""The one picker of asks: searched by the server, also without a script.

A page shows what was chosen, and at most MAX_OFFERED of what matches a search. With
htmx the search fetches this part alone; without, its button sends the form, which comes
back with what was typed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from evidence.forms.keys import keys_among
from evidence.models import RequirementControl

MAX_OFFERED = 10  # matches shown at a time
PART = "picked"  # the id of the element that htmx fetches again
SEARCH = "find"  # the name of the button that searches without a script


@dataclass(frozen=True)
class Picker:
    """What a page shows to choose asks from; `name` is the field that it fills."""

    name: str
    query: str
    chosen: list[RequirementControl]
    matching: list[RequirementControl]
    left_out: int

    @property
    def open(self) -> bool:
        """Whether something was searched for or chosen."""
        return bool(self.query or self.chosen)


def picker_of(
    asks: QuerySet[RequirementControl],
    query: str,
    chosen: Iterable[object],
    *,
    name: str = "also",
) -> Picker:
    """What was chosen of `asks`, by its keys, and what else matches the query.

    Two statements at most, and one more where more match than are shown.
    """
    keys = keys_among(chosen)
    query = query.strip()
    picked = list(asks.filter(pk__in=keys)) if keys else []
    if not query:
        return Picker(name, query, picked, [], 0)
    matching = asks.matching(q=query).exclude(pk__in=keys)  # type: ignore[attr-defined]
    rows = list(matching[: MAX_OFFERED + 1])
    more = matching.count() - MAX_OFFERED if len(rows) > MAX_OFFERED else 0
    return Picker(name, query, picked, rows[:MAX_OFFERED], more)
