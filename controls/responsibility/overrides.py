"""Overrides of a class: asked by one person, decided by another (R9)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.approvals import refuse_decided, refuse_stale
from controls.errors import Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    ResponsibilityOverride,
)
from controls.models.audit import about
from controls.models.requests import ApprovalState
from controls.responsibility.decide import redecide
from controls.responsibility.rulings import PARTIES

OVERRIDABLE = ("inherited", "shared", "customer")


def _to_aws(current: frozenset[str], requested: frozenset[str]) -> bool:
    """Whether AWS would carry more than it does, or we less."""
    gains = "aws" in requested and "aws" not in current
    return gains or ("customer" in current and "customer" not in requested)


@transaction.atomic
def request_override(
    implementation: ControlImplementation,
    *,
    responsibility: str,
    reason: str,
    starts_on: dt.date,
    ends_on: dt.date,
    by: Actor,
    citation: str = "",
) -> ResponsibilityOverride:
    """Ask for another class until a day; it holds once somebody else approves.

    A class that moves a duty to AWS must cite the provider's document (R9).
    """
    require_officer(implementation.system, by)
    if responsibility not in OVERRIDABLE:
        raise Refused({"responsibility": "Say inherited, shared or customer."})
    current = PARTIES.get(implementation.responsibility, frozenset())
    requested = PARTIES[responsibility]
    if _to_aws(current, requested) and not citation.strip():
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
    by: Actor,
    version: int | None = None,
) -> None:
    """Approve or refuse, by an officer other than the requester."""
    stored = _locked_override(override)
    refuse_decided(stored, version, by=by)
    stored.state = ApprovalState.APPROVED if approve else ApprovalState.REFUSED
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
    by: Actor,
    version: int | None = None,
) -> None:
    """End an override for good: from `on` what is below it holds again."""
    stored = _locked_override(override)
    require_officer(stored.implementation.system, by)
    if stored.state != ApprovalState.APPROVED:
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
