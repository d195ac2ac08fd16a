"""How often many things are asked, from today on (R11, R12, R18)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import replace

from controls.access import require_officer
from controls.errors import SrmError
from controls.models import Actor, System
from evidence.bulk_acts.act import ActRow, Outcome, Values
from evidence.models import RequirementControl
from evidence.models.asks import Cadence
from evidence.models.requirements import RequirementControlQuerySet
from evidence.requirements.changes import (
    NewTerms,
    change_requirement,
    outlook_of_change,
)

# What is asked once or per event is no period: that is set on the page of the ask.
OFFERED = [
    (code, label)
    for code, label in Cadence.choices
    if code not in {Cadence.ONCE, Cadence.PER_EVENT}
]


def asks_of_controls(
    system: System, controls: Collection[int], today: dt.date
) -> list[int]:
    """The keys of what is asked today of our halves of these controls."""
    rows = RequirementControl.objects.in_operation(system, today)
    ours = rows.filter(implementation__in=controls).of_our_half()
    return list(ours.values_list("pk", flat=True))


class Cadences:
    """Keys are of what is asked. Values: `cadence`, `rarer_because`."""

    name = "cadence"

    def require_right(self, system: System, *, by: Actor) -> None:
        """Officers of the system."""
        require_officer(system, by)

    def rows(
        self,
        system: System,
        keys: Collection[int],
        values: Values,
        *,
        by: Actor,
        today: dt.date,
        lock: bool = False,
    ) -> list[ActRow]:
        """Each thing asked with how often it is asked now."""
        self.require_right(system, by=by)
        requirements = _requirements(system, keys, today)
        if lock:
            System.objects.select_for_update(of=("self",)).get(pk=system.pk)
            list(requirements.order_by("pk").select_for_update(of=("self",)))
        return [
            self._row(row, values, today)
            for row in requirements.order_by(
                "implementation__control__sort_order", "pk"
            )
        ]

    def _row(self, row: RequirementControl, values: Values, today: dt.date) -> ActRow:
        before = str(Cadence(row.cadence).label)
        after = str(Cadence(values["cadence"]).label)
        outcome, follows = _outlook(row, values, today)
        return ActRow(
            key=row.pk,
            control=row.implementation.control,
            outcome=outcome,
            before=before,
            after=before if outcome == "refused" else after,
            follows=follows,
            title=row.title,
        )

    def carry_out(
        self,
        system: System,
        keys: Sequence[int],
        values: Values,
        *,
        by: Actor,
        today: dt.date,
    ) -> None:
        """Change each; controls under one ask change with the first of them."""
        for row in _requirements(system, keys, today).order_by("pk"):
            change_requirement(
                row, _terms(row, values), version=None, by=by, today=today
            )


def _requirements(
    system: System, keys: Collection[int], today: dt.date
) -> RequirementControlQuerySet:
    rows: RequirementControlQuerySet = RequirementControl.objects.in_operation(
        system, today
    ).filter(pk__in=keys)
    return rows.select_related("system", "implementation__system", "ask")


def _terms(row: RequirementControl, values: Values) -> NewTerms:
    """What the row says, asked so often; its grace becomes the cadence's own."""
    stated = NewTerms.stated_by(row)
    if row.cadence == values["cadence"]:
        return stated
    return replace(
        stated,
        cadence=values["cadence"],
        grace_days=None,
        rarer_because=values["rarer_because"] or stated.rarer_because,
    )


def _outlook(
    row: RequirementControl, values: Values, today: dt.date
) -> tuple[Outcome, str]:
    try:
        outlook = outlook_of_change(row, _terms(row, values), today=today)
    except SrmError as refusal:
        return "refused", " ".join(refusal.messages)
    if outlook is None:
        return "same", "It is asked so often already."
    if outlook.waits:
        return "refused", (
            "A second officer has to agree to this: change it on the page of what is"
            " asked."
        )
    days = f"Grace becomes {outlook.grace_days} days."
    if outlook.companions:
        named = ", ".join(sorted(outlook.companions))
        return "change", f"{days} One ask with {named}, which changes as well."
    return "change", days
