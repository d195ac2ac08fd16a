"""Engagements: made, corrected, renewed and ended by the officers of a system (AC-05).

Who audits is told by memberships, each for at most 90 days. Renewing adds a grant that
begins where the one before ends, so no person is let in twice at a time. Days are those
of the system; both ends count.

One file: every step of an engagement keeps what its auditors were let in for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F

from controls.access import require_officer
from controls.approvals import refuse_stale
from controls.errors import Refused, SrmError, TransitionNotAllowed
from controls.memberships import MAX_YEAR, held_when_ended, insert_role
from controls.models import (
    Actor,
    AuditEvent,
    Engagement,
    Invitation,
    Membership,
    Role,
    System,
    User,
)
from controls.models.audit import Event, about
from controls.models.engagements import EngagementKind
from controls.models.invitations import InvitationState
from controls.models.people import MAX_AUDITOR_GRANT

MAX_WINDOW = dt.timedelta(days=3 * 366)  # of an audit, first and last day included

SETTLED = ("kind", "window_start", "window_end")  # once an auditor was let in
DRAFTED = ("title", "firm", *SETTLED)
LET_IN = (
    "Its auditors were let in for this kind of audit and this window: both stay. End"
    " this engagement and make another one."
)


@dataclass(frozen=True)
class EngagementDraft:
    """An audit as an officer describes it; both days of the window are inclusive."""

    title: str
    kind: str
    firm: str
    window_start: dt.date
    window_end: dt.date


@transaction.atomic
def make_engagement(
    system: System,
    draft: EngagementDraft,
    *,
    by: Actor,
    today: dt.date,
    audit: UUID | None = None,
) -> Engagement:
    """Record an audit of a system; its auditors are invited afterwards. `audit` is that
    of its other systems.

    Raises NotPermitted (no officer) and Refused by field: a window that runs
    backwards, is out of bounds or too long, a Type I over more than one day.
    """
    require_officer(system, by)
    _refuse_window(draft, today)
    engagement = Engagement(
        system=system,
        title=draft.title.strip(),
        kind=draft.kind,
        firm=draft.firm.strip(),
        window_start=draft.window_start,
        window_end=draft.window_end,
        audit=audit or uuid4(),
    )
    try:
        engagement.full_clean(exclude=["known_from"])
    except ValidationError as refusal:
        raise Refused(refusal) from None
    engagement.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            engagement,
            "engagement.made",
            by=by,
            kind=engagement.kind,
            firm=engagement.firm,
            window_start=str(engagement.window_start),
            window_end=str(engagement.window_end),
        )
    )
    return engagement


@transaction.atomic
def correct_engagement(
    engagement: Engagement,
    draft: EngagementDraft,
    *,
    by: Actor,
    today: dt.date,
    version: int | None = None,
) -> Engagement:
    """Correct what an officer wrote of an audit.

    Once an auditor was let in, its kind and its window are what the audit is about and
    what proof of design alone is judged by (R30): only title and firm are corrected.
    Raises as `make_engagement` does, TransitionNotAllowed (it has ended), StaleVersion.
    """
    stored = _locked(engagement, by, version)
    before = {name: str(getattr(stored, name)) for name in DRAFTED}
    settled = any(getattr(stored, name) != getattr(draft, name) for name in SETTLED)
    if settled and stored.memberships.exists():
        raise Refused(LET_IN)
    if settled:
        _refuse_window(draft, today)
    stored.title, stored.firm = draft.title.strip(), draft.firm.strip()
    for name in SETTLED:
        setattr(stored, name, getattr(draft, name))
    try:
        stored.full_clean(exclude=["known_from"])
    except ValidationError as refusal:
        raise Refused(refusal) from None
    after = {name: str(getattr(stored, name)) for name in DRAFTED}
    if after != before:
        stored.save(update_fields=DRAFTED)
        change = {"before": before, "after": after}
        _keep(stored, "engagement.corrected", by, [], change)
    return stored


def _refuse_window(draft: EngagementDraft, today: dt.date) -> None:
    first, last = draft.window_start, draft.window_end
    if last < first:
        raise Refused({"window_end": "The window ends before it starts."})
    if draft.kind == EngagementKind.TYPE1 and first != last:
        raise Refused(
            {"window_end": "A SOC 2 Type I is about one day: give the same day twice."}
        )
    if first.year < today.year - 10 or last.year > MAX_YEAR:
        raise Refused(
            {"window_start": "An audit is about days of the last ten years or ahead."}
        )
    if last - first >= MAX_WINDOW:
        raise Refused({"window_end": f"A window has at most {MAX_WINDOW.days} days."})


@transaction.atomic
def renew_engagement(
    engagement: Engagement,
    people: Collection[User],
    *,
    last_day: dt.date,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> list[Membership]:
    """Let auditors of an engagement read to a later day, counted from today on.

    Each gets a grant that begins where the last one ends, or now. Raises NotPermitted,
    TransitionNotAllowed (it has ended), StaleVersion, and Refused by field: nobody, a
    person who never was its auditor, a day gone by or more than 90 days away, a day
    that the person has anyway.
    """
    stored = _locked(engagement, by, version)
    system = stored.system
    today = system.day_of(now)
    if not people:
        raise Refused({"people": "Choose whose access is renewed."})
    if last_day < today:
        raise Refused({"last_day": "Access ends today or later, never before."})
    begins_today = system.end_of_day(today - dt.timedelta(days=1))
    ends_at = system.end_of_day(last_day)
    if ends_at > begins_today + MAX_AUDITOR_GRANT:
        raise Refused(
            {
                "last_day": "An auditor is let in for 90 days at most, counted from"
                " today."
            }
        )
    grants, events = [], []
    for person in sorted(people, key=lambda person: person.pk):
        grant = Membership(
            system=system,
            user=person,
            role=Role.AUDITOR,
            engagement=stored,
            starts_at=max(now, _end_of_last_grant(stored, person)),
            ends_at=ends_at,
        )
        if grant.starts_at >= ends_at:
            raise Refused({"last_day": f"{person} is let in until then already."})
        try:
            insert_role(grant, by)
        except SrmError:
            raise
        except ValidationError as refusal:  # of the row's own rules
            raise Refused(refusal.messages) from None
        grants.append(grant)
        events.append(about(grant, "membership.created", by=by, last_day=str(last_day)))
    names = [str(grant.user) for grant in grants]
    change = {"people": names, "last_day": str(last_day)}
    _keep(stored, "engagement.renewed", by, events, change)
    return grants


def _end_of_last_grant(engagement: Engagement, person: User) -> dt.datetime:
    """Until when a person was let in last, exclusive."""
    grants = Membership.objects.filter(user=person, role=Role.AUDITOR)
    if not grants.filter(engagement=engagement).exists():
        raise Refused(
            {"people": f"{person} is no auditor of this engagement: invite them."}
        )
    of_system = grants.filter(system=engagement.system_id).order_by("-ends_at")
    ends_at = of_system.values_list("ends_at", flat=True)[0]
    return ends_at or dt.datetime.max.replace(tzinfo=dt.UTC)


@transaction.atomic
def end_engagement(
    engagement: Engagement,
    *,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> Engagement:
    """End an engagement: its auditors read nothing from now on, open invitations to it
    count no more; what they marked stays.

    Raises NotPermitted, TransitionNotAllowed (it has ended), StaleVersion.
    """
    # Invitations first: whoever accepts one holds it, then waits for the engagement.
    open_ones = Invitation.objects.select_for_update(of=("self",)).filter(
        engagement=engagement.pk, state=InvitationState.OPEN
    )
    invitations = list(open_ones.order_by("pk"))
    stored = _locked(engagement, by, version)
    rows = Membership.objects.select_for_update(of=("self",)).select_related(
        "system", "user"
    )
    running = rows.filter(engagement=stored, ends_at__gt=now)
    # in the order of their rows, as everybody locks them; ended from the first day on
    grants = sorted(running.order_by("pk"), key=lambda grant: grant.starts_at)
    events = []
    for grant in grants:
        before = {"starts_at": str(grant.starts_at), "ends_at": str(grant.ends_at)}
        begins, ends = held_when_ended(grant, now)
        Membership.objects.filter(pk=grant.pk).update(
            starts_at=begins, ends_at=ends, version=F("version") + 1
        )
        events.append(
            about(
                grant,
                "membership.changed",
                by=by,
                before=before,
                ends_at=ends.isoformat(),
            )
        )
    for invitation in invitations:
        Invitation.objects.filter(pk=invitation.pk).update(
            state=InvitationState.WITHDRAWN, ended_at=now, version=F("version") + 1
        )
        events.append(
            about(invitation, "invitation.withdrawn", by=by, role=invitation.role)
        )
    Engagement.objects.filter(pk=stored.pk).update(ended_at=now)
    people = [str(grant.user) for grant in grants]
    _keep(stored, "engagement.ended", by, events, {"people": people})
    stored.refresh_from_db(fields=["ended_at"])
    return stored


def _locked(engagement: Engagement, by: Actor, version: int | None) -> Engagement:
    rows = Engagement.objects.select_for_update(of=("self",)).select_related("system")
    stored: Engagement = rows.get(pk=engagement.pk)
    require_officer(stored.system, by)
    refuse_stale(stored, version)
    if stored.ended_at is not None:
        raise TransitionNotAllowed("This engagement has ended. Make another one.")
    return stored


def _keep(
    stored: Engagement,
    verb: str,
    by: Actor,
    events: list[Event],
    change: Mapping[str, object],
) -> None:
    """One version on; then all events of the act, the engagement's last."""
    Engagement.objects.filter(pk=stored.pk).update(version=F("version") + 1)
    stored.refresh_from_db(fields=["version"])
    AuditEvent.objects.append_all([*events, about(stored, verb, by=by, **change)])
