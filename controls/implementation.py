"""How far our part of a control is implemented, in our own words."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import F

from controls.access import is_officer, require_describer
from controls.control_parts import settled
from controls.errors import NotPermitted, Refused, StaleVersion
from controls.implementation_days import (
    NOT_STATED,
    Held,
    Statement,
    refusal_of_day,
    standing,
    statements_of,
    write,
)
from controls.models import Actor, AuditEvent, ControlImplementation, Team
from controls.models.audit import about
from controls.responsibility.rulings import PARTIES
from controls.retrospect import first_day_of


@transaction.atomic
def describe(
    implementation: ControlImplementation,
    *,
    implementation_status: str | None,
    customer_statement: str,
    owner_team: Team | None,
    version: int | None,
    by: Actor,
    today: dt.date,
    stated_from: dt.date | None = None,
    part_statuses: Mapping[str, str] | None = None,
) -> None:
    """Record status, statement and owner of our part.

    The status holds from `stated_from` on, the system's day `today` unless named, to
    the next day from which something else is said; None: as it stands on that day.
    `part_statuses` by statement id is what parts of the control say on their own, None:
    as it was; only what differs from the control's is kept. Raises Refused for a part
    that does not exist and for a day that a second officer has to approve, NotPermitted
    for other teams (and for an owner changed by anybody but an officer), StaleVersion
    when somebody saved since `version` was read.
    """
    stored = (
        ControlImplementation.objects.select_for_update(of=("self",))
        .select_related("system", "control")
        .get(pk=implementation.pk)
    )
    require_describer(stored, by)
    if version is not None and version != stored.version:
        raise StaleVersion(
            "Somebody saved this control since you opened it. Compare what you say with"
            " theirs, then save again."
        )
    first_day = stated_from or today
    held = statements_of([stored])[stored.pk]
    before, after = _status_changes(
        stored, held, implementation_status, part_statuses, first_day
    )
    if after:
        _refuse_day(stored, held, first_day, today)
    columns = _changes(stored, customer_statement, owner_team)
    if "owner_team" in columns:
        _require_officer(stored, by)
    if not (columns or after):
        return
    event_body = _event_body(stored, columns, before, after)
    if after:
        write(
            [stored], {stored.pk: held}, _statement(held, after, first_day, today, by)
        )
        columns |= _status_columns(stored, today)
        event_body["stated_from"] = str(first_day)
    for name, value in columns.items():
        setattr(stored, name, value)
    stored.full_clean(exclude=["system", "control", "decision", "version"])
    stored.version = F("version") + 1
    stored.save(update_fields=[*columns, "version"])
    implementation.refresh_from_db()
    AuditEvent.objects.append(
        about(stored, "implementation.described", by=by, **event_body)
    )


def is_asked_for(
    implementation: ControlImplementation, *, expected_of_us: bool = False
) -> bool:
    """Whether nobody has said how far it is today, and part of it is ours (R28): by its
    class, or by what a provider's report expects of us (R26)."""
    parties = PARTIES.get(implementation.responsibility, {"customer"})
    ours = expected_of_us or "customer" in parties
    return implementation.implementation_status == NOT_STATED and ours


def state_with_proof(
    implementation: ControlImplementation,
    status: str,
    *,
    performed_on: dt.date,
    by: Actor,
    today: dt.date,
) -> None:
    """Say how far a control is with its first proof, from that performance on.

    It begins at the earliest on the system's first day. Raises what `describe` does.
    """
    begins = first_day_of(implementation.system)
    describe(
        implementation,
        implementation_status=status,
        customer_statement=implementation.customer_statement,
        owner_team=implementation.owner_team,
        version=None,
        by=by,
        today=today,
        stated_from=max(begins, min(performed_on, today)),
    )


def _event_body(
    stored: ControlImplementation,
    columns: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> dict[str, Any]:
    """What stood and what is to: the columns as text, the status as it is."""
    old = {name: str(getattr(stored, name) or "") for name in columns}
    new = {name: str(value or "") for name, value in columns.items()}
    return {"before": {**before, **old}, "after": {**after, **new}}


def _status_columns(stored: ControlImplementation, today: dt.date) -> dict[str, Any]:
    """What the control repeats of today's statement."""
    status, parts = standing(statements_of([stored])[stored.pk], today)
    return {"implementation_status": status, "part_statuses": parts}


def _status_changes(
    stored: ControlImplementation,
    held: Held,
    status: str | None,
    parts: Mapping[str, str] | None,
    first_day: dt.date,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What stands on the day and what is to, both only where they differ."""
    old_status, old_parts = standing(held, first_day)
    status = status or old_status
    parts = old_parts if parts is None else parts
    if status == NOT_STATED:
        if parts or old_status != NOT_STATED:
            raise Refused(
                {"implementation_status": "Say how far the control itself is."}
            )
        return {}, {}
    status, parts = settled(stored.control, status, parts)
    old = {"implementation_status": old_status, "part_statuses": old_parts}
    new = {"implementation_status": status, "part_statuses": parts}
    differing = [name for name in old if old[name] != new[name]]
    return (
        {name: old[name] for name in differing},
        {name: new[name] for name in differing},
    )


def _refuse_day(
    stored: ControlImplementation, held: Held, first_day: dt.date, today: dt.date
) -> None:
    begins = first_day_of(stored.system)
    why = refusal_of_day(held, first_day, system_begins=begins, today=today)
    if why:
        raise Refused({"stated_from": why})


def _statement(
    held: Held, after: Mapping[str, Any], first_day: dt.date, today: dt.date, by: Actor
) -> Statement:
    """What is said: what differs, and the rest as it stands on the day."""
    status, parts = standing(held, first_day)
    return Statement(
        status=after.get("implementation_status", status),
        part_statuses=after.get("part_statuses", parts),
        first_day=first_day,
        stated_on=today,
        by=by,
    )


def _changes(
    stored: ControlImplementation, statement: str, team: Team | None
) -> dict[str, Any]:
    """Only what differs from the locked row."""
    columns = {"customer_statement": statement.strip(), "owner_team": team}
    return {
        name: value for name, value in columns.items() if getattr(stored, name) != value
    }


def _require_officer(stored: ControlImplementation, by: Actor) -> None:
    if not is_officer(by, stored.system):
        raise NotPermitted("Only a compliance officer names another owner team.")
