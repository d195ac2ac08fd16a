"""Changing how far controls were on days before today: another officer approves.

Source: rule R31. The first statement of a control is none: `controls.implementation`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping

from controls.control_ids import label_of
from controls.control_parts import settled
from controls.errors import Refused
from controls.implementation_days import (
    Statement,
    show_today,
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
    return facts


@applies(KIND, name="Implementation status", explain=_explain)
def carry_out(change: RetrospectiveChange, *, by: Actor, today: dt.date) -> None:
    """Write what was asked for, as said by who asked on the day of the request."""
    rows = ControlImplementation.objects.filter(
        system=change.system_id, control__ref_id__in=change.body["control_ids"]
    )
    list(rows.order_by("pk").select_for_update(of=("self",)))
    controls = list(rows.select_related("system", "control").in_catalog_order())
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
