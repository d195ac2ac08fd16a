"""Overrides of a class: asked by one person, decided by another (R9)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.approvals import (
    known_today,
    refuse_decided,
    refuse_endless,
    refuse_stale,
)
from controls.errors import Refused, TransitionNotAllowed
from controls.models import (
    Actor,
    AuditEvent,
    ControlImplementation,
    ResponsibilityOverride,
    RetrospectiveChange,
)
from controls.models.audit import about
from controls.models.decisions import Responsibility
from controls.models.requests import ApprovalState
from controls.responsibility.decide import redecide, rulings_due
from controls.responsibility.override_checks import (
    refuse_second_request,
    refuse_unnamed_source,
    to_aws,
)
from controls.responsibility.rulings import PARTIES
from controls.retrospect import applies, request_change

OVERRIDABLE = ("inherited", "shared", "customer")


def ask_override(
    implementation: ControlImplementation,
    *,
    responsibility: str,
    reason: str,
    starts_on: dt.date,
    ends_on: dt.date,
    by: Actor,
    today: dt.date,
    citation: str = "",
    needed_from: str = "",
) -> ResponsibilityOverride | RetrospectiveChange:
    """What a person asks: a request, or with a first day before today a change in
    retrospect. The rest is as for `request_override`."""
    ask = request_override
    if starts_on < today:
        ask = _request_back  # type: ignore[assignment]
    return ask(
        implementation,
        responsibility=responsibility,
        reason=reason,
        starts_on=starts_on,
        ends_on=ends_on,
        by=by,
        citation=citation,
        needed_from=needed_from,
        today=today,
    )


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
    needed_from: str = "",
    today: dt.date | None = None,
) -> ResponsibilityOverride:
    """Ask for another class until a day; it holds once somebody else approves.

    A class that moves a duty to AWS must cite the provider's document, and name what
    AWS's half is then needed from: `service:` and the slug of one in use, or `report:`
    and the short name of a series (R9). `today` is the system's day (None: at the clock
    of knowledge). Raises NotPermitted, Refused, and TransitionNotAllowed while another
    request for the same control waits.
    """
    today = today or known_today(implementation.system)
    if starts_on < today:
        raise Refused({"starts_on": "An earlier day is a change in retrospect."})
    override = _unsaved(
        implementation, responsibility, reason, starts_on, ends_on, citation, by, today
    )
    refuse_second_request(implementation, today)
    refuse_unnamed_source(implementation, responsibility, needed_from)
    override.needed_from = needed_from
    override.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            override,
            "override.requested",
            by=by,
            reason=override.reason,
            needed_from=needed_from,
        )
    )
    return override


def _unsaved(
    implementation: ControlImplementation,
    responsibility: str,
    reason: str,
    starts_on: dt.date,
    ends_on: dt.date,
    citation: str,
    by: Actor,
    today: dt.date,
) -> ResponsibilityOverride:
    """The override as asked, checked. Raises NotPermitted, Refused, ValidationError."""
    require_officer(implementation.system, by)
    if responsibility not in OVERRIDABLE:
        raise Refused({"responsibility": "Choose inherited, shared or customer."})
    current = PARTIES.get(implementation.responsibility, frozenset())
    requested = PARTIES[responsibility]
    if to_aws(current, requested) and not citation.strip():
        sentence = "This moves a duty to AWS: cite the AWS document that accepts it."
        raise Refused({"citation": sentence})
    refuse_endless("ends_on", starts_on, ends_on)
    override = ResponsibilityOverride(
        implementation=implementation,
        requested_by=by,
        responsibility=responsibility,
        reason=reason.strip(),
        citation=citation.strip(),
        starts_on=starts_on,
        ends_on=ends_on,
        requested_on=today,
    )
    override.full_clean(exclude=["requested_by", "decided_by"])
    return override


@transaction.atomic
def _request_back(
    implementation: ControlImplementation,
    *,
    responsibility: str,
    reason: str,
    starts_on: dt.date,
    ends_on: dt.date,
    by: Actor,
    citation: str,
    needed_from: str,
    today: dt.date,
) -> RetrospectiveChange:
    override = _unsaved(
        implementation, responsibility, reason, starts_on, ends_on, citation, by, today
    )
    refuse_unnamed_source(implementation, responsibility, needed_from)
    refuse_second_request(implementation, today)
    body = {
        "control": implementation.control.ref_id,
        "responsibility": responsibility,
        "starts_on": str(starts_on),
        "ends_on": str(ends_on),
        "citation": override.citation,
        "needed_from": needed_from,
    }
    return request_change(
        implementation.system,
        kind="override",
        body=body,
        first_day=starts_on,
        reason=override.reason,
        by=by,
        today=today,
    )


def _words(change: RetrospectiveChange) -> list[tuple[str, str]]:
    """What a change of class says, in plain words."""
    body = change.body
    control = change.system.implementations.get(control__ref_id=body["control"])
    days = f"from {body['starts_on']} to {body['ends_on']}"
    named = Responsibility(body["responsibility"]).label
    words = [("Control", control.control.label), ("What is to hold", f"{named} {days}")]
    if body["citation"]:
        words.append(("AWS document", body["citation"]))
    if source := body.get("needed_from"):
        words.append(("AWS's half is needed from", source.partition(":")[2]))
    return words


@applies("override", name="Another class", explain=_words)
def change_override(change: RetrospectiveChange, *, by: Actor, today: dt.date) -> None:
    """Let another class hold from a day before today on."""
    body = change.body
    override = _unsaved(
        change.system.implementations.get(control__ref_id=body["control"]),
        body["responsibility"],
        change.reason,
        dt.date.fromisoformat(body["starts_on"]),
        dt.date.fromisoformat(body["ends_on"]),
        body["citation"],
        change.requested_by,
        change.requested_on,
    )
    override.state, override.decided_by = ApprovalState.APPROVED, by
    override.change = change
    override.needed_from = body.get("needed_from", "")
    before = rulings_due(change.system)
    override.save(force_insert=True)
    redecide(change.system, by=by, reason=change.reason, before=before, change=change)


@transaction.atomic
def decide_override(
    override: ResponsibilityOverride,
    *,
    approve: bool,
    by: Actor,
    version: int | None = None,
    today: dt.date | None = None,
) -> None:
    """Approve or refuse, by an officer other than the requester."""
    stored = _locked_override(override)
    refuse_decided(stored, version, by=by, today=today)
    system = stored.implementation.system
    before = rulings_due(system) if approve else None
    stored.state = ApprovalState.APPROVED if approve else ApprovalState.REFUSED
    stored.decided_by = by
    stored.version = F("version") + 1
    stored.save(update_fields=["state", "decided_by", "version"])
    events = [about(stored, f"override.{stored.state}", by=by)]
    if approve:
        redecide(system, by=by, reason=stored.reason, before=before, agreed=True)
    AuditEvent.objects.append_all(events)
    override.refresh_from_db()


@transaction.atomic
def settle_override(
    override: ResponsibilityOverride,
    *,
    on: dt.date,
    by: Actor,
    version: int | None = None,
    today: dt.date | None = None,
) -> None:
    """Decide that an expired override counts no more: from `on` what is below it holds.

    Before its last day two officers end it (`early_ends`). Raises NotPermitted,
    StaleVersion, TransitionNotAllowed while it runs, Refused for a day before today.
    """
    stored = _locked_override(override)
    require_officer(stored.implementation.system, by)
    if stored.state != ApprovalState.APPROVED:
        raise TransitionNotAllowed("Only an approved override can be settled.")
    if stored.settled_on:
        raise TransitionNotAllowed(f"It was settled from {stored.settled_on} on.")
    refuse_stale(stored, version)
    today = today or known_today(stored.implementation.system)
    if today <= stored.ends_on:
        raise TransitionNotAllowed(
            f"This override runs to {stored.ends_on}: two officers end it earlier."
        )
    if on < today:
        raise Refused({"on": "It cannot take effect before today."})
    system = stored.implementation.system
    before = rulings_due(system)
    stored.settled_on = on
    stored.version = F("version") + 1
    stored.save(update_fields=["settled_on", "version"])
    redecide(system, by=by, reason="Override settled", before=before, today=today)
    AuditEvent.objects.append(about(stored, "override.settled", by=by, on=str(on)))
    override.refresh_from_db()


def _locked_override(override: ResponsibilityOverride) -> ResponsibilityOverride:
    locked = ResponsibilityOverride.objects.select_for_update(of=("self",))
    return locked.select_related("implementation__system").get(pk=override.pk)
