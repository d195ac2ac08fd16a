"""Saying how far many controls are in one act: seen first, then all of it or nothing.

Source: rule R28. Every door shows the preview before anything is written; its token
counts once, for who asked, for an hour, and only while nothing it showed has changed.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from controls.errors import Refused, TransitionNotAllowed
from controls.idempotency import KeyedRequest, first_use
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
from controls.sealed_previews import seal, unseal

SALT = "controls.implementation-status"
AGAIN = "Choose the controls again."

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
        return f"Only an officer or the owner team{team} says this."
    by_class = "customer" in PARTIES.get(control.responsibility, {"customer"})
    if not by_class and control.pk not in expected_of_us:
        return "Nothing of it is ours: how far it is, is not asked."
    return ""


def sealed(
    system: System,
    proposals: Sequence[Proposal],
    *,
    status: str,
    first_day: dt.date,
    by: Actor,
) -> str:
    """What was shown as a signed text that who asked may confirm within an hour.

    Raises Refused where nothing would change.
    """
    if not _effective(proposals):
        raise Refused("Nothing of this would change anything.")
    body = {
        "status": status,
        "first_day": str(first_day),
        "shown": _shown(proposals),
    }
    return seal(SALT, system.pk, body, by=by)


def confirm(
    system: System,
    token: str,
    *,
    by: Actor,
    today: dt.date,
    expected_of_us: Collection[int] = frozenset(),
) -> int:
    """Say what the preview of this token showed; returns for how many controls.

    `expected_of_us` as `propose` takes it, read anew. Confirmed again it is the same
    answer. Raises TransitionNotAllowed when the token is too old, another person's, or
    shows what is not so any more.
    """
    verb = f"say how far controls of system {system.pk} are"
    with first_use(KeyedRequest.of_preview(by, verb, token)) as key:
        if key.answered:
            return int(json.loads(key.body))
        body = unseal(SALT, token, system.pk, by=by, again=AGAIN)
        first_day = dt.date.fromisoformat(body["first_day"])
        proposals = propose(
            system,
            [shown[0] for shown in body["shown"]],
            status=body["status"],
            first_day=first_day,
            by=by,
            today=today,
            expected_of_us=expected_of_us,
            lock=True,
        )
        if _shown(proposals) != body["shown"]:
            raise TransitionNotAllowed("Something changed since. Look at it again.")
        effective = _effective(proposals)
        key.answer_with(200, body=json.dumps(len(effective)))
        state_of_many(
            proposals, status=body["status"], first_day=first_day, by=by, today=today
        )
    return len(effective)


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


def _shown(proposals: Iterable[Proposal]) -> list[list[object]]:
    """What a person saw of each control, as JSON gives it back."""
    return [[row.control.pk, row.outcome, row.before] for row in proposals]
