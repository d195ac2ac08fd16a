"""How far many controls are, from a day on (R28)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

from controls.errors import NotPermitted
from controls.implementation_bulk import Proposal, propose, state_of_many
from controls.models import Actor, ControlImplementation, ImplementationStatus, System
from evidence.bulk_acts.act import MAX_ROWS, ActRow, Values
from evidence.requirements.expected import controls_expected_of_us


class Statuses:
    """Values: `implementation_status`, and `stated_from`, the first day as text."""

    name = "status"
    max_rows = MAX_ROWS
    at_once = MAX_ROWS

    def require_right(self, system: System, *, by: Actor) -> None:
        """Officers, and teams of the controls that they own."""
        mine = ControlImplementation.objects.describable_by(by).filter(system=system)
        if not mine.exists():
            raise NotPermitted("Only an officer or the owner team may state this.")

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
        """Each control with its status on the first day."""
        return rows_of(
            _proposals(system, keys, values, by=by, today=today, lock=lock),
            values["implementation_status"],
            dt.date.fromisoformat(values["stated_from"]),
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
        """Say it of each, with an event for each."""
        state_of_many(
            _proposals(system, keys, values, by=by, today=today),
            status=values["implementation_status"],
            first_day=dt.date.fromisoformat(values["stated_from"]),
            by=by,
            today=today,
        )


def rows_of(
    proposals: Iterable[Proposal], status: str, first_day: dt.date
) -> list[ActRow]:
    """What was proposed, as rows of the act."""
    after = str(ImplementationStatus(status).label)
    return [
        ActRow(
            key=one.control.pk,
            control=one.control.control,
            outcome="change" if one.outcome == "first" else one.outcome,
            before=one.before_label,
            after=one.before_label if one.outcome == "refused" else after,
            follows=_what_follows(one, str(first_day)),
        )
        for one in proposals
    ]


def _proposals(
    system: System,
    keys: Collection[int],
    values: Values,
    *,
    by: Actor,
    today: dt.date,
    lock: bool = False,
) -> list[Proposal]:
    return propose(
        system,
        keys,
        status=values["implementation_status"],
        first_day=dt.date.fromisoformat(values["stated_from"]),
        by=by,
        today=today,
        expected_of_us=controls_expected_of_us(system, today),
        lock=lock,
    )


def _what_follows(proposal: Proposal, first_day: str) -> str:
    if proposal.outcome == "refused":
        return proposal.why
    if proposal.outcome == "same":
        return "It has this status already."
    if proposal.outcome == "first":
        return f"Said for the first time, from {first_day} on."
    return f"Replaces what was said, from {first_day} on."
