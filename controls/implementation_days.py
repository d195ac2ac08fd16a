"""How far our part of controls is from a day on: what may be said, and writing it.

What is said from a day on holds until the next day from which something else is said.
Source: rules R5, R28 and R31.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Func, Value

from controls.models import (
    Actor,
    ControlImplementation,
    ImplementationStatement,
    RetrospectiveChange,
    System,
)
from controls.models.implementations import ImplementationStatus

NOT_STATED = ImplementationStatus.NOT_STATED.value
Held = Sequence[ImplementationStatement]  # of one control, in the order of their days


@dataclass(frozen=True)
class Statement:
    """A status with those of parts that differ, from `first_day` on.

    `stated_on` is the system's day on which it is said. `change` is the change in
    retrospect that it carries out, `in_bulk` that it is said of many controls at once.
    """

    status: str
    part_statuses: Mapping[str, str]
    first_day: dt.date
    stated_on: dt.date
    by: Actor
    in_bulk: bool = False
    change: RetrospectiveChange | None = None


def statements_of(
    controls: Iterable[ControlImplementation],
) -> defaultdict[int, list[ImplementationStatement]]:
    """What is said of each control, by its key, in the order of days. One query."""
    keys = [control.pk for control in controls]
    held: defaultdict[int, list[ImplementationStatement]] = defaultdict(list)
    for row in ImplementationStatement.objects.filter(implementation__in=keys):
        held[row.implementation_id].append(row)
    for rows in held.values():
        rows.sort(key=lambda row: row.days.lower or dt.date.min)
    return held


def said_of(held: Held, day: dt.date) -> ImplementationStatement | None:
    """The statement that holds on a day; None where nobody has said anything."""
    return next((row for row in held if day in row.days), None)


def standing(held: Held, day: dt.date) -> tuple[str, dict[str, str]]:
    """The status and those of parts on a day, `not-stated` where nothing is said."""
    row = said_of(held, day)
    return (row.status, row.part_statuses) if row else (NOT_STATED, {})


def is_first(held: Held, first_day: dt.date) -> bool:
    """Whether nothing is said yet of any day from `first_day` on."""
    return all(row.days.upper and row.days.upper <= first_day for row in held)


def refusal_of_day(
    held: Held, first_day: dt.date, *, system_begins: dt.date, today: dt.date
) -> str:
    """Why this may not be said from `first_day` on by one person; empty if it may.

    From today on, or later, it may. Only the first statement names an earlier day.
    """
    if first_day >= today:
        return ""
    if not is_first(held, first_day):
        return (
            "Something is said of these days already. An earlier day than today is a"
            " change in retrospect: ask another officer for it, with a reason."
        )
    if first_day < system_begins:
        return f"The system's first day is {system_begins}."
    return ""


def write(
    controls: Collection[ControlImplementation],
    held: Mapping[int, Held],
    statement: Statement,
) -> None:
    """Let it hold for the controls from its first day on.

    The controls are locked by the caller, who has asked whether it may be said;
    `held` is what `statements_of` them returned since. A constant number of
    statements to the database.
    """
    begun, cut, new = [], [], []
    for control in controls:
        rows = held.get(control.pk, ())
        days = (statement.first_day, _next_day(rows, statement.first_day))
        before = said_of(rows, statement.first_day)
        if before is not None and before.days.lower == statement.first_day:
            begun.append(before.pk)
            continue
        if before is not None:
            cut.append(before.pk)
        new.append(
            ImplementationStatement(
                implementation=control, days=days, **_columns(statement)
            )
        )
    _cut(cut, statement.first_day)
    ImplementationStatement.objects.filter(pk__in=begun).update(**_columns(statement))
    ImplementationStatement.objects.bulk_create(new)


def _next_day(held: Held, first_day: dt.date) -> dt.date | None:
    later = (row.days.lower for row in held if row.days.lower)
    return min((day for day in later if day > first_day), default=None)


def _columns(statement: Statement) -> dict[str, Any]:
    return {
        "status": statement.status,
        "part_statuses": dict(statement.part_statuses),
        "stated_on": statement.stated_on,
        "stated_by_id": statement.by.pk,
        "in_bulk": statement.in_bulk,
        "change": statement.change,
    }


def _cut(keys: Collection[int], first_day: dt.date) -> None:
    """End rows before a day, each where it began."""
    ends = Func(Func("days", function="LOWER"), Value(first_day), function="DATERANGE")
    ImplementationStatement.objects.filter(pk__in=keys).update(days=ends)


def show_today(
    controls: Collection[ControlImplementation], today: dt.date
) -> list[ControlImplementation]:
    """Repeat on the controls what is said of today; returns those that changed.

    Their versions go up, so that a form opened before is refused.
    """
    held = statements_of(controls)
    changed = defaultdict(list)
    for control in controls:
        status, parts = standing(held[control.pk], today)
        if (control.implementation_status, control.part_statuses) != (status, parts):
            changed[status, tuple(sorted(parts.items()))].append(control)
    for (status, own_parts), rows in changed.items():
        keys = [control.pk for control in rows]
        ControlImplementation.objects.filter(pk__in=keys).update(
            implementation_status=status,
            part_statuses=dict(own_parts),
            version=F("version") + 1,
        )
    return [control for rows in changed.values() for control in rows]


@transaction.atomic
def show_todays_statuses(system: System, today: dt.date) -> int:
    """The same for a whole system, once a day: something said before may begin.

    Returns for how many controls.
    """
    controls = system.implementations.select_for_update(of=("self",)).order_by("pk")
    return len(show_today(list(controls), today))
