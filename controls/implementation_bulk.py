"""How far many controls are, in one act: what would become of each, then saying it.

Source: rule R28. Doors show the proposals before anything is written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from controls.errors import Refused
from controls.implementation_days import (
    NOT_STATED,
    Statement,
    refusal_of_day,
    show_today,
    standing,
    statements_of,
    write,
)
from controls.models import Actor, AuditEvent, ControlImplementation, System
from controls.models.audit import Event, about
from controls.models.implementation_statements import STATEABLE
from controls.models.implementations import ImplementationStatus, worst_of
from controls.responsibility.rulings import PARTIES
from controls.retrospect import first_day_of

Outcome = Literal["first", "change", "same", "refused"]


@dataclass(frozen=True)
class Proposal:
    """What would become of one control: `before` is its status on the first day.

    `first`: nobody has said anything yet; `change`: something else is said;
    `same`: it is said already; `refused`: `why` says what stands against it.
    """

    control: ControlImplementation
    outcome: Outcome
    before: str
    why: str = ""

    @property
    def before_label(self) -> str:
        """What people read for `before`."""
        return str(ImplementationStatus(self.before).label)


def propose(
    system: System,
    keys: Collection[int],
    *,
    status: str,
    first_day: dt.date,
    by: Actor,
    today: dt.date,
    expected_of_us: Collection[int] = frozenset(),
    lock: bool = False,
) -> list[Proposal]:
    """What saying `status` from `first_day` on would do, in the catalog's order.

    `keys` are controls of the system; those of others are left out. `today` is the
    system's day, `expected_of_us` those of which a provider's report expects something
    of us that day, whatever their class (R26). A constant number of queries. Raises
    Refused for a status that nobody can say.
    """
    if status not in dict(STATEABLE):
        raise Refused({"implementation_status": f"“{status}” is no such status."})
    rows = system.implementations.filter(pk__in=keys)
    if lock:
        list(rows.order_by("pk").select_for_update(of=("self",)))
    controls = list(rows.for_listing())
    theirs = set(rows.describable_by(by).values_list("pk", flat=True))
    held, begins = statements_of(controls), first_day_of(system)
    proposals = []
    for control in controls:
        statements = held[control.pk]
        now_status, parts = standing(statements, first_day)
        before = worst_of([now_status, *parts.values()])
        why = _refusal(control, theirs, expected_of_us)
        if not why and (now_status, parts) == (status, {}):
            proposals.append(Proposal(control, "same", before))
            continue
        why = why or refusal_of_day(
            statements, first_day, system_begins=begins, today=today
        )
        outcome: Outcome = "first" if before == NOT_STATED else "change"
        proposals.append(Proposal(control, "refused" if why else outcome, before, why))
    return proposals


def _refusal(
    control: ControlImplementation,
    theirs: Collection[int],
    expected_of_us: Collection[int],
) -> str:
    """What stands against a person saying anything of a control in bulk."""
    if control.pk not in theirs:
        team = f", {control.owner_team}," if control.owner_team else ""
        return f"Only an officer or the owner team{team} may state this."
    by_class = "customer" in PARTIES.get(control.responsibility, {"customer"})
    if not by_class and control.pk not in expected_of_us:
        return "No part of it is ours, so no status is asked for."
    return ""


def state_of_many(
    proposals: Iterable[Proposal],
    *,
    status: str,
    first_day: dt.date,
    by: Actor,
    today: dt.date,
) -> None:
    """Say it of those that would change, locked before, and record it last."""
    effective = _effective(proposals)
    statement = Statement(status, {}, first_day, today, by, in_bulk=True)
    _write(effective, statement, today)
    AuditEvent.objects.append_all(_events(effective, statement))


def _write(proposals: Iterable[Proposal], statement: Statement, today: dt.date) -> None:
    controls = [proposal.control for proposal in proposals]
    write(controls, statements_of(controls), statement)
    show_today(controls, today)


def _events(proposals: Iterable[Proposal], statement: Statement) -> list[Event]:
    return [
        about(
            proposal.control,
            "implementation.described",
            by=statement.by,
            before={"implementation_status": proposal.before},
            after={"implementation_status": statement.status, "part_statuses": {}},
            stated_from=str(statement.first_day),
            in_bulk=True,
        )
        for proposal in proposals
    ]


def _effective(proposals: Iterable[Proposal]) -> list[Proposal]:
    return [row for row in proposals if row.outcome in ("first", "change")]
