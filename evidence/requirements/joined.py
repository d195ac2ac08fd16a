"""Which rows stand under one ask on a day, and what that ask says then. Source: R11."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db.backends.postgresql.psycopg_any import DateRange

from controls.models import Team
from evidence.models import EvidenceRequirement, RequirementControl, RequirementTerms
from evidence.requirements.odp_frequency import StatedFrequency, less_frequent


def rows_under(
    ask: EvidenceRequirement, day: dt.date, *, locked: bool = False
) -> list[RequirementControl]:
    """The rows that stand under an ask on a day, in catalog order; those no longer
    asked then are left out. `locked` for a change, in the order of their keys."""
    named = RequirementTerms.objects.in_force(day).filter(joined=ask).values("ask")
    rows = RequirementControl.objects.filter(ask__in=named).for_listing()
    rows = rows.select_related("ask").exclude(operates_until__lte=day)
    if locked:
        rows = rows.select_for_update(of=("self",)).order_by("pk")
    return sorted(rows, key=_in_catalog)


def first_days_under(ask: EvidenceRequirement, day: dt.date) -> dict[int, dt.date]:
    """The keys of the asks of rows that stand under an ask on a day or later, each with
    the first of these days. Rows that are no longer asked are among them: what their
    ask says is the same."""
    first_days: dict[int, dt.date] = {}
    from_then = DateRange(day, None)
    for terms in ask.joined_terms.filter(days__overlap=from_then).order_by("days"):
        first_days.setdefault(terms.ask_id, max(terms.first_day or day, day))
    return first_days


def rows_from(
    ask: EvidenceRequirement, day: dt.date, *, locked: bool = False
) -> list[RequirementControl]:
    """As `rows_under`, with the rows that stand under the ask on a later day only."""
    rows = RequirementControl.objects.filter(ask__in=first_days_under(ask, day))
    rows = rows.for_listing().select_related("ask").exclude(operates_until__lte=day)
    if locked:
        rows = rows.select_for_update(of=("self",)).order_by("pk")
    return sorted(rows, key=_in_catalog)


def _in_catalog(row: RequirementControl) -> tuple[int, int]:
    return row.implementation.control.sort_order, row.pk


def joined_on(row: RequirementControl, day: dt.date) -> EvidenceRequirement | None:
    """The ask under which a row stands with others on a day; None: it stands alone."""
    held = row.ask.terms.in_force(day).select_related("joined").get()
    return held.joined


def schedule_from(ask: EvidenceRequirement, day: dt.date) -> list[RequirementTerms]:
    """What a joined ask says from a day on, in order; each until the next begins."""
    from_then = DateRange(day, None)
    stated = ask.joined_terms.filter(days__overlap=from_then).order_by("days")
    by_first_day: dict[dt.date, RequirementTerms] = {}
    for terms in stated:
        by_first_day.setdefault(max(terms.first_day or day, day), terms)
    return [by_first_day[first] for first in sorted(by_first_day)]


def team_of(row: RequirementControl) -> Team | None:
    """The team that performs it: its own, else the control's."""
    return row.owner_team or row.implementation.owner_team


def stricter_than(
    cadence: str,
    rows: Iterable[RequirementControl],
    stated: dict[int, StatedFrequency],
) -> list[str]:
    """A sentence for each row whose control's own parameter asks more often (R18)."""
    return [
        f"{row.implementation.control.label} is to be shown {own.cadence}"
        f" (“{own.text}”, {own.parameter}), more often than {cadence}: it needs an ask"
        " of its own."
        for row in rows
        if (own := stated.get(row.implementation.control_id))
        and less_frequent(cadence, own.cadence)
    ]
