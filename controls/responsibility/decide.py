"""Writes who answers for what: one decision for each control whose class or basis
changed on some days. The record is only added to; as-of reads it, never derives."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from itertools import pairwise

from django.db import connection, transaction

from controls.errors import (
    Refused,
)
from controls.history.clock import knowledge_now
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    ReferenceVersion,
    ResponsibilityDecision,
    ResponsibilityOverride,
    RetrospectiveChange,
    System,
)
from controls.models.audit import about
from controls.responsibility.exclusions import (
    exclusions_by_layers,
    show_exclusions,
    void_exclusions,
)
from controls.responsibility.rulings import PARTIES, Line, Ruling, due_rulings
from controls.responsibility.timelines import (
    FIRST,
    LAST,
    Span,
    always,
    at,
    differing,
    merged,
    paint,
)

# What a class is not derived from, and takes longest to read.
CONTROL_TEXTS = ("control__statements", "control__params", "control__parts")


@transaction.atomic
def redecide(
    system: System,
    *,
    by: Actor,
    reason: str,
    before: Mapping[int, Line] | None,
    change: RetrospectiveChange | None = None,
    agreed: bool = False,
    part_of_event: bool = False,
    today: dt.date | None = None,
) -> int:
    """Compare what should hold on every day with the record, and add what differs.

    `before` is `rulings_due` as it was before what is decided on was written: where
    the same is due after it, the record stays as it is, so that readings which wait to
    be seen go on waiting (R8). None: all that differs is recorded, also these.
    `change` is what alters days before today, if that is what it is for; `agreed` says
    that two officers decided on it. What one person decides takes no half away from
    days before `today` (None: the system's day at the clock of knowledge): there the
    record stays as it is (R31, R32). Returns the number of controls whose class or
    basis changed on some days. Locks the system first; writes decisions with one INSERT
    and one audit event, last: none where the caller's own event says it
    (`part_of_event`).
    """
    System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    alone = change is None and not agreed
    by_one_on = (today or _today(system)) if alone else FIRST
    due = pending(system, by_one_on=by_one_on, before=before)
    spans = [(implementation, span) for implementation, span, _ in due]
    if not spans:
        return 0
    _record(spans, by, reason, change)
    changed = {implementation.pk for implementation, _ in spans}
    _show_todays(system, _today(system))
    rest_exclusions(system, _today(system))
    if part_of_event:
        return len(changed)
    AuditEvent.objects.append(
        about(
            system,
            "responsibility.decided",
            by=by,
            reason=reason,
            controls=len(changed),
        )
    )
    return len(changed)


def rest_exclusions(system: System, today: dt.date) -> None:
    """Void exclusions from the first day on which what they rest on is gone, as the
    record stands now, and show which controls are left out today (R10)."""
    exclusions = list(exclusions_by_layers(system))
    implementations = [exclusion.implementation for exclusion in exclusions]
    void_exclusions(exclusions, _recorded(implementations) if exclusions else {})
    show_exclusions(system, today)


def rulings_due(system: System) -> dict[int, Line]:
    """What should hold on every day as things stand, by implementation."""
    return due_rulings(system, _implementations(system))


def pending(
    system: System,
    *,
    by_one_on: dt.date | None = None,
    before: Mapping[int, Line] | None = None,
) -> list[tuple[ControlImplementation, Span[Ruling], Ruling | None]]:
    """Where the record differs from what should hold: control, days and ruling due.

    The last is what is recorded for the first of those days; None: nothing. Left out
    are days before `by_one_on` (None: the system's today) from which one person would
    take a half away, and those on which the same was due `before`.
    """
    today = by_one_on or _today(system)
    implementations = _implementations(system)
    due = due_rulings(system, implementations)
    recorded = _recorded(implementations)
    return [
        (implementation, span, at(recorded[implementation.pk], span.start))
        for implementation in implementations
        for differs in differing(due[implementation.pk], recorded[implementation.pk])
        for altered in _altered(differs, before, implementation.pk)
        for span in _without_loss(altered, recorded[implementation.pk], today)
    ]


def _implementations(system: System) -> list[ControlImplementation]:
    return list(
        system.implementations.select_related("control")
        .defer(*CONTROL_TEXTS)
        .order_by("pk")
    )


def _altered(
    due: Span[Ruling], before: Mapping[int, Line] | None, implementation: int
) -> list[Span[Ruling]]:
    """The days of a span on which something else was due before; None: all of them.
    Of a control that was not there before all, too."""
    if before is None or implementation not in before:
        return [due]
    line = before[implementation]
    within = {span.start for span in line if due.start < span.start < due.end}
    return merged(
        [
            Span(start, end, due.value)
            for start, end in pairwise(sorted({due.start, due.end, *within}))
            if at(line, start) != due.value
        ]
    )


def _without_loss(
    due: Span[Ruling], recorded: list[Span[Ruling | None]], today: dt.date
) -> list[Span[Ruling]]:
    """The days of a span but for those before `today` on which a party that the record
    names would have nothing to prove any more."""
    parties = PARTIES[due.value.responsibility]
    within = {span.start for span in recorded if due.start < span.start < due.end}
    cuts = {due.start, due.end, min(max(due.start, today), due.end), *within}
    kept = []
    for start, end in pairwise(sorted(cuts)):
        before = at(recorded, start)
        held = PARTIES[before.responsibility] if before else frozenset()
        if start >= today or held <= parties:
            kept.append(Span(start, end, due.value))
    return merged(kept)


def _today(system: System) -> dt.date:
    """The system's day at the database's clock of knowledge."""
    return system.day_of(knowledge_now())


def _recorded(
    implementations: list[ControlImplementation],
) -> dict[int, list[Span[Ruling | None]]]:
    """What the decisions say today, for every day; None where nothing was decided."""
    lines: dict[int, list[Span[Ruling | None]]] = {
        implementation.pk: always(None) for implementation in implementations
    }
    rows = ResponsibilityDecision.objects.filter(
        implementation__in=list(lines)
    ).order_by("known_from", "pk")
    for row in rows:
        ruling = Ruling(
            row.responsibility,
            row.basis_id,
            row.source,
            row.override_id,
            row.statement_id,
        )
        span: Span[Ruling | None] = Span(
            row.effective.lower or dt.date.min, row.effective.upper or LAST, ruling
        )
        lines[row.implementation_id] = paint(lines[row.implementation_id], span)
    return lines


# One value for all rows: a thousand are written as fast as they are sent.
RECORD = """
INSERT INTO controls_responsibilitydecision
       (uuid, implementation_id, basis_id, reference_version_id, decided_by_id,
        approved_by_id, override_id, statement_id, change_id, responsibility, source,
        effective, reason)
SELECT gen_random_uuid(), d.implementation, d.basis, %(reference)s, d.decided_by,
       d.approved_by, d.override, d.statement, %(change)s, d.responsibility, d.source,
       daterange(d.starts, d.until), d.reason
  FROM jsonb_to_recordset(%(rows)s::jsonb) AS d(
       implementation bigint, basis text, decided_by bigint, approved_by bigint,
       override bigint, statement bigint, responsibility text, source text,
       starts date, until date, reason text)
"""


def _record(
    spans: list[tuple[ControlImplementation, Span[Ruling]]],
    by: Actor,
    reason: str,
    change: RetrospectiveChange | None,
) -> None:
    """Write the decisions; versions and overrides are looked up once for all."""
    reference = _newest_reference()
    overrides = ResponsibilityOverride.objects.in_bulk(
        {span.value.override for _, span in spans if span.value.override}
    )
    rows = []
    for implementation, span in spans:
        ruling, (starts, until) = span.value, span.bounds
        override = overrides.get(ruling.override or 0)
        rows.append(
            {
                "implementation": implementation.pk,
                "basis": ruling.basis,
                "decided_by": override.requested_by_id if override else by.pk,
                "approved_by": override.decided_by_id if override else None,
                "override": override.pk if override else None,
                "statement": ruling.statement,
                "responsibility": ruling.responsibility,
                "source": ruling.source,
                "starts": starts and starts.isoformat(),
                "until": until and until.isoformat(),
                "reason": ruling.reason or reason,
            }
        )
    with connection.cursor() as cursor:
        cursor.execute(
            RECORD,
            {
                "reference": reference.pk,
                "change": change.pk if change else None,
                "rows": json.dumps(rows),
            },
        )


def _newest_reference() -> ReferenceVersion:
    version = ReferenceVersion.objects.newest()
    if version is None:
        raise Refused("No reference data is loaded: run manage.py load_reference.")
    return version


SHOW_TODAYS = """
WITH latest AS (
  SELECT DISTINCT ON (d.implementation_id) d.implementation_id, d.id, d.responsibility
    FROM controls_responsibilitydecision d
    JOIN controls_controlimplementation i ON i.id = d.implementation_id
   WHERE i.system_id = %s AND d.effective @> %s::date
   ORDER BY d.implementation_id, d.known_from DESC, d.id DESC)
UPDATE controls_controlimplementation i
   SET decision_id = latest.id, responsibility = latest.responsibility
  FROM latest
 WHERE i.id = latest.implementation_id AND i.decision_id IS DISTINCT FROM latest.id
"""


def _show_todays(system: System, today: dt.date) -> None:
    """Copy the decision in force today onto each implementation, for lists."""
    with connection.cursor() as cursor:
        cursor.execute(SHOW_TODAYS, [system.pk, today])


def refresh_todays(system: System, today: dt.date) -> None:
    """The same, once a day: an override may have ended, a service may have begun, and
    a control may be left out from today or apply again."""
    _show_todays(system, today)
    show_exclusions(system, today)
