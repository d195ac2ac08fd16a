"""Changing how far controls were on days before today: another officer approves.

Source: rule R31. The first statement of a control is none: `controls.implementation`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from controls.control_ids import label_of
from controls.control_parts import settled
from controls.errors import Refused, TransitionNotAllowed
from controls.implementation_days import (
    Statement,
    show_today,
    standing,
    statements_of,
    write,
)
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    ImplementationStatus,
    RetrospectiveChange,
    System,
)
from controls.models.audit import about
from controls.models.implementation_statements import STATEABLE
from controls.retrospect import Fact, applies, request_change

KIND = "implementation-status"


def request_status_change(
    system: System,
    ref_ids: Collection[str],
    *,
    status: str,
    first_day: dt.date,
    reason: str,
    by: Actor,
    today: dt.date,
    part_statuses: Mapping[str, str] | None = None,
) -> RetrospectiveChange:
    """Ask that controls were `status` from a day before today on.

    It holds to the next day from which something else is said. `part_statuses` are of
    parts that differ, where it is about one control. Raises what `request_change`
    does, and Refused for controls, statuses and parts that do not exist.
    """
    if status not in dict(STATEABLE):
        raise Refused({"implementation_status": f"“{status}” is no such status."})
    rows = system.implementations.filter(control__ref_id__in=ref_ids)
    controls = list(rows.select_related("control").in_catalog_order())
    if missing := sorted(set(ref_ids) - {row.control.ref_id for row in controls}):
        raise Refused(
            {"control_ids": f"This system has no such control: {', '.join(missing)}."}
        )
    if not controls:
        raise Refused({"control_ids": "Name at least one control."})
    parts = dict(part_statuses or {})
    if parts and len(controls) > 1:
        raise Refused({"part_statuses": "Parts are of one control at a time."})
    if parts:
        status, parts = settled(controls[0].control, status, parts)
    body = {
        "control_ids": [row.control.ref_id for row in controls],
        "implementation_status": status,
        "part_statuses": parts,
        "before": _standings(controls, first_day),
    }
    return request_change(
        system,
        kind=KIND,
        body=body,
        first_day=first_day,
        reason=reason,
        by=by,
        today=today,
    )


def _standings(
    controls: Iterable[ControlImplementation], day: dt.date
) -> dict[str, list[Any]]:
    """What is said of a day now: status and those of parts, by the control."""
    controls = list(controls)
    held = statements_of(controls)
    return {row.control.ref_id: [*standing(held[row.pk], day)] for row in controls}


def _before(body: Mapping[str, Any]) -> Iterable[Fact]:
    """What was said when it was asked for, by status; older requests do not say it."""
    labels: defaultdict[str, list[str]] = defaultdict(list)
    for ref_id, (status, _) in body.get("before", {}).items():
        labels[status].append(label_of(ref_id))
    for status, named in labels.items():
        label = ImplementationStatus(status).label
        yield "What was said", f"{label}: {', '.join(named)}"


def _explain(change: RetrospectiveChange) -> Iterable[Fact]:
    body = change.body
    facts = [
        ("Controls", ", ".join(label_of(ref_id) for ref_id in body["control_ids"])),
        (
            "Implementation status",
            str(ImplementationStatus(body["implementation_status"]).label),
        ),
    ]
    facts += [
        (f"Part {key}", str(ImplementationStatus(value).label))
        for key, value in body["part_statuses"].items()
    ]
    return [*facts, *_before(body)]


@applies(KIND, name="Implementation status", explain=_explain)
def carry_out(change: RetrospectiveChange, *, by: Actor, today: dt.date) -> None:
    """Write what was asked for, as said by who asked on the day of the request.

    Raises TransitionNotAllowed where something else was said of its first day since.
    """
    rows = ControlImplementation.objects.filter(
        system=change.system_id, control__ref_id__in=change.body["control_ids"]
    )
    list(rows.order_by("pk").select_for_update(of=("self",)))
    controls = list(rows.select_related("system", "control").in_catalog_order())
    before = change.body.get("before")
    if before is not None and before != _standings(controls, change.first_day):
        raise TransitionNotAllowed(
            "Something else was said of these days since this was requested. Ask for it"
            " again."
        )
    statement = Statement(
        status=change.body["implementation_status"],
        part_statuses=change.body["part_statuses"],
        first_day=change.first_day,
        stated_on=change.requested_on,
        by=change.requested_by,
        change=change,
    )
    write(controls, statements_of(controls), statement)
    show_today(controls, today)
    AuditEvent.objects.append_all(
        [
            about(
                control,
                "implementation.described",
                by=by,
                after={
                    "implementation_status": statement.status,
                    "part_statuses": dict(statement.part_statuses),
                },
                stated_from=str(statement.first_day),
                change=str(change.uuid),
            )
            for control in controls
        ]
    )
