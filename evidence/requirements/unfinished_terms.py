"""Terms that are replaced before anything fell due under them.

A period under way at a change of cadence is not expected, and a performance counts on
to the first period of the new one (R13, R14). Changed there and back, each time on the
last day of a period, an ask would never fall due: so a second officer agrees to terms
that follow others under which nothing did (R32).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from evidence.models import RequirementControl, RequirementTerms
from evidence.models.asks import Cadence
from evidence.status.cadence import DAY, POPULATION_CADENCE, add_months, periods


def unfinished_since(
    asks: Collection[int], columns: Mapping[str, Any], from_day: dt.date
) -> dict[int, dt.date]:
    """Asks that `columns` may not follow from a day on by one officer: since when they
    have had the cadence under which nothing fell due, by their key. One statement."""
    before: defaultdict[int, list[RequirementTerms]] = defaultdict(list)
    rows = RequirementTerms.objects.filter(
        ask__in=asks, days__overlap=DateRange(None, from_day)
    )
    for terms in rows.order_by("ask", "days"):
        before[terms.ask_id].append(terms)
    by_events = columns.get("population_cadence", POPULATION_CADENCE)
    how_often = _how_often(columns["cadence"], by_events)
    since = {
        ask: _unfinished(terms, how_often, from_day - DAY)
        for ask, terms in before.items()
    }
    return {ask: first for ask, first in since.items() if first is not None}


def unfinished_faults(
    rows: Collection[RequirementControl],
    columns: Mapping[str, Any],
    from_day: dt.date,
) -> list[str]:
    """A sentence for each row to which one officer may not give these terms then."""
    since = unfinished_since({row.ask_id for row in rows}, columns, from_day)
    return [
        f"{row.implementation.control.label} changed on {since[row.ask_id]}, and"
        f" nothing has fallen due under that by {from_day}: choose a later day, after"
        " the end of a period of it."
        for row in rows
        if row.ask_id in since
    ]


def _unfinished(
    terms: Sequence[RequirementTerms], following: str, last: dt.date
) -> dt.date | None:
    """Since when the last of these terms have had their cadence, where they end on
    `last`, a period of the one before or after them ended in between, and none of their
    own; else None. The first that an ask ever had may always be replaced."""
    cadences = [_how_often(row.cadence, row.population_cadence) for row in terms]
    own = cadences[-1]
    begun = len(terms) - 1
    while begun and cadences[begun - 1] == own:
        begun -= 1
    first = terms[begun].first_day
    if not begun or first is None or following == own or _fell_due(own, first, last):
        return None
    others = (cadences[begun - 1], following)
    return first if any(_fell_due(name, first, last) for name in others) else None


def _how_often(cadence: str, population_cadence: str) -> str:
    return population_cadence if cadence == Cadence.PER_EVENT else cadence


def _fell_due(cadence: str, first: dt.date, last: dt.date) -> bool:
    """Whether a period of the cadence ends in these days; yearly, whether they are a
    year."""
    if cadence == Cadence.YEARLY:
        return add_months(first, 12) <= last + DAY
    return any(True for _ in periods(cadence, first, last))
