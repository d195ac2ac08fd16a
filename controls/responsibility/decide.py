"""Writes who answers for what: one decision for each control whose class or basis
changed on some days. The record is only added to; as-of reads it, never derives."""

from __future__ import annotations

import datetime as dt

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

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
from controls.responsibility.rulings import Ruling, due_rulings
from controls.responsibility.timelines import (
    LAST,
    Span,
    always,
    at,
    differing,
    paint,
)


@transaction.atomic
def redecide(
    system: System,
    *,
    by: Actor,
    reason: str,
    change: RetrospectiveChange | None = None,
) -> int:
    """Compare what should hold on every day with the record, and add what differs.

    `change` is what alters days before today, if that is what it is for. Returns the
    number of controls whose class or basis changed on some days. Locks the system
    first; writes decisions with one INSERT and one audit event, last.
    """
    System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    spans = [(implementation, span) for implementation, span, _ in pending(system)]
    if not spans:
        return 0
    rows = _decisions(spans, by, reason)
    for row in rows:
        row.change = change
    ResponsibilityDecision.objects.bulk_create(rows, batch_size=1000)
    changed = {row.implementation_id for row in rows}
    _show_todays(system, _today(system))
    rest_exclusions(system, _today(system))
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


def pending(
    system: System,
) -> list[tuple[ControlImplementation, Span[Ruling], Ruling | None]]:
    """Where the record differs from what should hold: control, days and ruling due.

    The last is what is recorded for the first of those days; None: nothing.
    """
    implementations = list(
        system.implementations.select_related("control").order_by("pk")
    )
    due = due_rulings(system, implementations)
    recorded = _recorded(implementations)
    return [
        (implementation, span, at(recorded[implementation.pk], span.start))
        for implementation in implementations
        for span in differing(due[implementation.pk], recorded[implementation.pk])
    ]


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


def _decisions(
    spans: list[tuple[ControlImplementation, Span[Ruling]]], by: Actor, reason: str
) -> list[ResponsibilityDecision]:
    """The unsaved decisions; versions and overrides are looked up once for all."""
    reference = _newest_reference()
    overrides = ResponsibilityOverride.objects.select_related(
        "requested_by", "decided_by"
    ).in_bulk({span.value.override for _, span in spans if span.value.override})
    rows = []
    now = timezone.now()  # the database writes its own; a value is written faster
    for implementation, span in spans:
        ruling = span.value
        override = overrides.get(ruling.override or 0)
        rows.append(
            ResponsibilityDecision(
                implementation=implementation,
                basis_id=ruling.basis,
                reference_version=reference,
                decided_by=override.requested_by if override else by,
                approved_by=override.decided_by if override else None,
                override=override,
                statement_id=ruling.statement,
                responsibility=ruling.responsibility,
                source=ruling.source,
                effective=DateRange(*span.bounds),
                reason=ruling.reason or reason,
                known_from=now,
            )
        )
    return rows


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
