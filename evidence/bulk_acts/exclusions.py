"""Asking to leave many controls out: a second officer decides on each (R10, R32)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence

from django.core.exceptions import ValidationError

from controls.access import require_officer
from controls.applicability import request_not_applicable, unsaved_request
from controls.models import Actor, ControlImplementation, System
from controls.models.implementations import ControlImplementationQuerySet
from evidence.bulk_acts.act import MAX_AT_ONCE, MAX_ONE_BY_ONE, ActRow, Outcome, Values

WAITS = "Waits for a second officer; until then nothing changes."


class Exclusions:
    """Values: `justification`; `review_by`, a day as text."""

    name = "not-applicable"
    max_rows = MAX_ONE_BY_ONE
    at_once = MAX_AT_ONCE

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
        """Each control with whether it may be asked of it, by the rules of one."""
        self.require_right(system, by=by)
        chosen = _chosen(system, keys)
        if lock:
            System.objects.select_for_update(of=("self",)).get(pk=system.pk)
            list(chosen.order_by("pk").select_for_update(of=("self",)))
        rows = []
        for control in chosen.in_catalog_order():
            outcome, follows = _outlook(control, values, by, today)
            before = str(control.get_applicability_display())
            requested = "Not applicable (requested)"
            rows.append(
                ActRow(
                    key=control.pk,
                    control=control.control,
                    outcome=outcome,
                    before=before,
                    after=requested if outcome == "change" else before,
                    follows=follows,
                )
            )
        return rows

    def carry_out(
        self,
        system: System,
        keys: Sequence[int],
        values: Values,
        *,
        by: Actor,
        today: dt.date,
    ) -> None:
        """Ask for each, with an event for each."""
        for control in _chosen(system, keys).order_by("pk"):
            request_not_applicable(
                control,
                justification=values["justification"],
                review_by=dt.date.fromisoformat(values["review_by"]),
                by=by,
                today=today,
            )


def _chosen(system: System, keys: Collection[int]) -> ControlImplementationQuerySet:
    rows: ControlImplementationQuerySet = system.implementations.filter(pk__in=keys)
    return rows.select_related("system", "control", "decision")


def _outlook(
    control: ControlImplementation, values: Values, by: Actor, today: dt.date
) -> tuple[Outcome, str]:
    try:
        unsaved_request(
            control,
            values["justification"],
            dt.date.fromisoformat(values["review_by"]),
            today,
            None,
            by=by,
            today=today,
        )
    except ValidationError as refusal:
        return "refused", " ".join(refusal.messages)
    return "change", WAITS
