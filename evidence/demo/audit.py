"""The demo's running audit: what its auditor marked, and her last visit."""

from __future__ import annotations

import datetime as dt

from controls.models import AuditEvent, ControlImplementation, System
from controls.models.audit import Event
from evidence.demo.clock import DAY, instant_of, written_on
from evidence.demo.people import People
from evidence.engagements.item_results import record_result
from evidence.engagements.marks import (
    MarkDraft,
    SeenState,
    mark_control,
    mark_several,
)
from evidence.models import SampleItem

LAST_VISIT = 13  # days ago
# Marked in one act, by state: so many controls from the top of the catalog.
IN_ONE_ACT = (("satisfied", 24), ("in_progress", 9))
WITH_A_NOTE = (
    ("cm-3", "in_progress", ("examine", "test"), "WP-31", "Two tickets are missing."),
    ("ac-6", "other_than_satisfied", ("examine", "interview"), "WP-12",
     "One of the roles that may assume the admin role has no owner."),
    ("cp-9", "in_progress", ("examine",), "WP-40", "Waits for the restore test."),
)  # fmt: skip


def play_audit(system: System, people: People, today: dt.date) -> None:
    """Marks of two days, results of a sample, and the last visit."""
    engagement = system.engagements.get()
    audrey = people["audrey"]
    rows = ControlImplementation.objects.filter(system=system).select_related("control")
    named = {ref_id for ref_id, *_ in WITH_A_NOTE}
    controls = [
        row
        for row in rows.order_by("control__sort_order")
        if row.control.ref_id not in named
    ]
    for ago, (state, number) in zip((16, LAST_VISIT), IN_ONE_ACT, strict=True):
        marked, controls = controls[:number], controls[number:]
        with written_on(today - DAY * ago, 14):
            mark_several(
                engagement,
                {control: SeenState(state, 0) for control in marked},
                by=audrey,
                now=instant_of(today - DAY * ago, 14),
            )
    last_day = today - DAY * LAST_VISIT
    with written_on(last_day, 15):
        for ref_id, state, methods, reference, note in WITH_A_NOTE:
            mark_control(
                engagement,
                rows.get(control__ref_id=ref_id),
                MarkDraft(state, methods, reference, note),
                by=audrey,
                now=instant_of(last_day, 15),
            )
    items = SampleItem.objects.filter(sample__system=system, sample__drawn_by=audrey)
    with written_on(last_day, 16):
        for item in items.for_upload().order_by("pk")[:2]:
            record_result(
                engagement,
                item,
                result="passed",
                note="",
                by=audrey,
                now=instant_of(last_day, 16),
            )
        AuditEvent.objects.append(
            Event(
                "auditor.read",
                actor=audrey,
                subject_type="controls.engagement",
                subject_uuid=engagement.uuid,
                body={"path": f"/audits/{engagement.uuid}/"},
            )
        )
