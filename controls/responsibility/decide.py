"""Writes who answers for what: one decision for each control whose class or basis
changed on some days. The record is only added to; as-of reads it, never derives."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F

from controls.errors import (
    NotPermitted,
    Refused,
    StaleVersion,
    TransitionNotAllowed,
)
from controls.history.clock import knowledge_now
from controls.models import (
    AuditEvent,
    ControlImplementation,
    ReferenceVersion,
    ResponsibilityDecision,
    ResponsibilityOverride,
    Role,
    System,
)
from controls.models.audit import about
from controls.models.decisions import RequestState
from controls.responsibility.rulings import PARTIES, Ruling, wanted
from controls.responsibility.timelines import (
    LAST,
    Span,
    always,
    at,
    differing,
    paint,
)


@transaction.atomic
def redecide(system: System, *, by: Any, reason: str) -> int:
    """Compare what should hold on every day with the record, and add what differs.

    Returns the number of controls whose class or basis changed on some days. Locks
    the system first; writes decisions with one INSERT and one audit event, last.
    """
    System.objects.select_for_update(of=("self",)).get(pk=system.pk)
    spans = [(each, span) for each, span, _ in pending(system)]
    if not spans:
        return 0
    rows = _decisions(spans, by, reason)
    ResponsibilityDecision.objects.bulk_create(rows, batch_size=1000)
    changed = {row.implementation_id for row in rows}
    _show_todays(system, _today(system))
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


def pending(
    system: System,
) -> list[tuple[ControlImplementation, Span[Ruling], Ruling | None]]:
    """Where the record differs from what should hold: control, days and ruling due.

    The last is what is recorded for the first of those days; None: nothing.
    """
    implementations = list(
        system.implementations.select_related("control").order_by("pk")
    )
    due = wanted(system, implementations)
    recorded = _recorded(implementations)
    return [
        (each, span, at(recorded[each.pk], span.start))
        for each in implementations
        for span in differing(due[each.pk], recorded[each.pk])
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
    spans: list[tuple[ControlImplementation, Span[Ruling]]], by: Any, reason: str
) -> list[ResponsibilityDecision]:
    """The unsaved decisions; versions and overrides are looked up once for all."""
    reference = _newest_reference()
    overrides = ResponsibilityOverride.objects.select_related(
        "requested_by", "decided_by"
    ).in_bulk({span.value.override for _, span in spans if span.value.override})
    rows = []
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
    """The same, once a day: an override may have ended, a service may have begun."""
    _show_todays(system, today)


def is_officer(user: Any, system: System) -> bool:
    """Whether a person may do in this system what officers may."""
    if user.is_superuser:
        return True
    held = System.objects.held_as(user, [Role.OFFICER])
    return bool(held.filter(pk=system.pk).exists())


def require_officer(system: System, by: Any) -> None:
    """Raise NotPermitted unless `by` is an officer of the system."""
    if not is_officer(by, system):
        raise NotPermitted("Only a compliance officer of this system may do this.")


def refuse_decided(stored: Any, version: int | None, *, by: Any) -> None:
    """What stands against `by` deciding a locked request that needs a second officer.

    Raises NotPermitted, TransitionNotAllowed (naming who was first), StaleVersion.
    """
    require_officer(stored.implementation.system, by)
    if stored.requested_by_id == by.pk:
        raise NotPermitted("Somebody other than the requester must approve this.")
    if stored.state != RequestState.REQUESTED:
        raise TransitionNotAllowed(f"{stored.decided_by} has already decided this.")
    refuse_stale(stored, version)


def refuse_stale(stored: Any, version: int | None) -> None:
    """Raise StaleVersion when the locked row is not the version that was seen."""
    if version is not None and version != stored.version:
        raise StaleVersion("This changed since you opened it. Look again.")


OVERRIDABLE = ("inherited", "shared", "customer")


def _to_aws(held: frozenset[str], wanted: frozenset[str]) -> bool:
    """Whether AWS would carry more than it does, or we less."""
    gains = "aws" in wanted and "aws" not in held
    return gains or ("customer" in held and "customer" not in wanted)


@transaction.atomic
def request_override(
    implementation: ControlImplementation,
    *,
    responsibility: str,
    reason: str,
    starts_on: dt.date,
    ends_on: dt.date,
    by: Any,
    citation: str = "",
) -> ResponsibilityOverride:
    """Ask for another class until a day; it holds once somebody else approves.

    A class that moves a duty to AWS must cite the provider's document (R9).
    """
    require_officer(implementation.system, by)
    if responsibility not in OVERRIDABLE:
        raise Refused({"responsibility": "Say inherited, shared or customer."})
    held = PARTIES.get(implementation.responsibility, frozenset())
    wanted = PARTIES[responsibility]
    if _to_aws(held, wanted) and not citation.strip():
        sentence = "This moves a duty to AWS: cite the AWS document that accepts it."
        raise Refused({"citation": sentence})
    override = ResponsibilityOverride(
        implementation=implementation,
        requested_by=by,
        responsibility=responsibility,
        reason=reason.strip(),
        citation=citation.strip(),
        starts_on=starts_on,
        ends_on=ends_on,
    )
    override.full_clean(exclude=["requested_by", "decided_by"])
    override.save(force_insert=True)
    AuditEvent.objects.append(
        about(override, "override.requested", by=by, reason=override.reason)
    )
    return override


@transaction.atomic
def decide_override(
    override: ResponsibilityOverride,
    *,
    approve: bool,
    by: Any,
    version: int | None = None,
) -> None:
    """Approve or refuse, by an officer other than the requester."""
    stored = _locked_override(override)
    refuse_decided(stored, version, by=by)
    stored.state = RequestState.APPROVED if approve else RequestState.REFUSED
    stored.decided_by = by
    stored.version = F("version") + 1
    stored.save(update_fields=["state", "decided_by", "version"])
    events = [about(stored, f"override.{stored.state}", by=by)]
    if approve:
        redecide(stored.implementation.system, by=by, reason=stored.reason)
    AuditEvent.objects.append_all(events)
    override.refresh_from_db()


@transaction.atomic
def settle_override(
    override: ResponsibilityOverride,
    *,
    on: dt.date,
    by: Any,
    version: int | None = None,
) -> None:
    """End an override for good: from `on` what is below it holds again."""
    stored = _locked_override(override)
    require_officer(stored.implementation.system, by)
    if stored.state != RequestState.APPROVED:
        raise TransitionNotAllowed("Only an approved override can be settled.")
    if stored.settled_on:
        raise TransitionNotAllowed(f"It was settled from {stored.settled_on} on.")
    refuse_stale(stored, version)
    stored.settled_on = max(on, stored.starts_on)
    stored.version = F("version") + 1
    stored.save(update_fields=["settled_on", "version"])
    redecide(stored.implementation.system, by=by, reason="Override settled")
    AuditEvent.objects.append(about(stored, "override.settled", by=by, on=str(on)))
    override.refresh_from_db()


def _locked_override(override: ResponsibilityOverride) -> ResponsibilityOverride:
    locked = ResponsibilityOverride.objects.select_for_update(of=("self",))
    return locked.select_related("implementation__system").get(pk=override.pk)
