"""Changing what many things asked say, from today on, row by row by the one verb.

Source: rules R11, R12, R18, R31 and R32, which the verb keeps.
"""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence

from controls.access import require_officer
from controls.errors import SrmError
from controls.models import Actor, System
from evidence.bulk_acts.act import MAX_AT_ONCE, MAX_ONE_BY_ONE, ActRow, Outcome, Values
from evidence.models import RequirementControl
from evidence.models.requirements import RequirementControlQuerySet
from evidence.requirements.changes import (
    NewTerms,
    Outlook,
    change_requirement,
    outlook_of_change,
)

TWO_OFFICERS = (
    "A second officer has to agree to this: change it on the page of what is asked."
)

STATED_LATER = (
    "Other terms are stated from {} on, which this would replace: change it on the page"
    " of what is asked."
)


class ChangeOfAsks(ABC):
    """An act on what is asked; its kinds say which of the terms becomes what."""

    name = ""
    max_rows = MAX_ONE_BY_ONE
    at_once = MAX_AT_ONCE

    @abstractmethod
    def terms(self, row: RequirementControl, values: Values) -> NewTerms:
        """What the row says afterwards."""

    @abstractmethod
    def before(self, row: RequirementControl) -> str:
        """What the table shows of the row as it is."""

    @abstractmethod
    def after(self, values: Values) -> str:
        """What the table shows of it afterwards."""

    @abstractmethod
    def follows(self, outlook: Outlook, values: Values) -> str:
        """What else a change does, as a sentence."""

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
        """Each thing asked as it is and as it would be."""
        self.require_right(system, by=by)
        requirements = _requirements(system, keys, today)
        if lock:
            System.objects.select_for_update(of=("self",)).get(pk=system.pk)
            list(requirements.order_by("pk").select_for_update(of=("self",)))
        ordered = requirements.order_by("implementation__control__sort_order", "pk")
        return [self._row(row, values, today) for row in ordered]

    def _row(self, row: RequirementControl, values: Values, today: dt.date) -> ActRow:
        before = self.before(row)
        outcome, follows = self._outlook(row, values, today)
        return ActRow(
            key=row.pk,
            control=row.implementation.control,
            outcome=outcome,
            before=before,
            after=before if outcome == "refused" else self.after(values),
            follows=follows,
            title=row.title,
        )

    def _outlook(
        self, row: RequirementControl, values: Values, today: dt.date
    ) -> tuple[Outcome, str]:
        try:
            outlook = outlook_of_change(row, self.terms(row, values), today=today)
        except SrmError as refusal:
            return "refused", " ".join(refusal.messages)
        if outlook is None:
            return "same", "It is so already."
        if outlook.waits:
            return "refused", TWO_OFFICERS
        if outlook.replaces_from:
            return "refused", STATED_LATER.format(outlook.replaces_from)
        follows = self.follows(outlook, values)
        if outlook.companions:
            named = ", ".join(sorted(outlook.companions))
            follows = f"{follows} One ask with {named}, which changes as well."
        return "change", follows

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
                row, self.terms(row, values), version=None, by=by, today=today
            )


def _requirements(
    system: System, keys: Collection[int], today: dt.date
) -> RequirementControlQuerySet:
    rows: RequirementControlQuerySet = RequirementControl.objects.in_operation(
        system, today
    ).filter(pk__in=keys)
    related = ("system", "implementation__system", "implementation__owner_team")
    return rows.select_related(*related, "owner_team", "ask")
