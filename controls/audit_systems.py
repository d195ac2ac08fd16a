"""An audit of several systems: an engagement in each, which share their `audit`.

People are let into systems, each of which keeps its own officers, days and scope; these
verbs do the same in all systems of an audit in which the person is an officer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import uuid4

from django.db import transaction

from controls.access import is_officer, require_officer
from controls.approvals import refuse_stale
from controls.engagements import (
    EngagementDraft,
    end_engagement,
    make_engagement,
    renew_engagement,
)
from controls.errors import Refused, TransitionNotAllowed
from controls.memberships import INSTANT, RoleOffer, take_role
from controls.models import (
    Actor,
    AuditEvent,
    Engagement,
    Membership,
    Role,
    System,
    User,
)
from controls.models.audit import Event, about
from controls.models.people import MAX_AUDITOR_GRANT

MAX_SYSTEMS = 20  # of one audit


def running_in_audit(engagement: Engagement) -> list[Engagement]:
    """Engagements of the same audit in other systems that have not ended, in the order
    of their keys. One statement."""
    rows = Engagement.objects.filter(audit=engagement.audit, ended_at=None)
    others = rows.exclude(pk=engagement.pk)
    return list(others.select_related("system").order_by("pk"))


def officered_in_audit(engagement: Engagement, by: Actor) -> list[Engagement]:
    """Those of `running_in_audit` whose systems have `by` as an officer."""
    others = running_in_audit(engagement)
    return [other for other in others if is_officer(by, other.system)]


@transaction.atomic
def make_audit(
    systems: Sequence[System], draft: EngagementDraft, *, by: Actor, now: dt.datetime
) -> list[Engagement]:
    """Record one audit of several systems, in their order. All or none.

    Raises as `make_engagement` does.
    """
    audit = uuid4()
    return [
        make_engagement(system, draft, by=by, today=system.day_of(now), audit=audit)
        for system in systems
    ]


@transaction.atomic
def renew_in_audit(
    engagement: Engagement,
    people: Collection[User],
    *,
    last_day: dt.date,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> list[Membership]:
    """Renew access here, and in other systems of the audit for those who were let in
    there and do not read as long yet. Raises as `renew_engagement` does."""
    grants: list[Membership] = []
    for one in _in_order(engagement, by):
        if one.pk == engagement.pk:
            grants += renew_engagement(
                one, people, last_day=last_day, by=by, now=now, version=version
            )
        elif chosen := _to_renew(one, people, last_day):
            grants += renew_engagement(one, chosen, last_day=last_day, by=by, now=now)
    return grants


def _in_order(engagement: Engagement, by: Actor) -> list[Engagement]:
    """All that `by` may change, in the order in which everybody locks them."""
    return sorted([engagement, *officered_in_audit(engagement, by)], key=lambda e: e.pk)


def _to_renew(
    engagement: Engagement, people: Collection[User], last_day: dt.date
) -> list[User]:
    held = Membership.objects.filter(user__in=people, role=Role.AUDITOR)
    until = engagement.system.end_of_day(last_day)
    here = held.filter(engagement=engagement).values("user")
    enough = held.filter(system=engagement.system_id, ends_at__gte=until).values("user")
    keys = [person.pk for person in people]
    return list(
        User.objects.filter(pk__in=keys).filter(pk__in=here).exclude(pk__in=enough)
    )


@transaction.atomic
def end_in_audit(
    engagement: Engagement,
    *,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> list[Engagement]:
    """End it here and in the other systems of the audit. Raises as `end_engagement`."""
    return [
        end_engagement(
            one, by=by, now=now, version=version if one.pk == engagement.pk else None
        )
        for one in _in_order(engagement, by)
    ]


@dataclass(frozen=True)
class AddedSystem:
    """The engagement of a system that joined an audit, and who is let into it."""

    engagement: Engagement
    let_in: tuple[User, ...]


@transaction.atomic
def add_system(
    engagement: Engagement,
    system: System,
    *,
    let_in: bool,
    by: Actor,
    now: dt.datetime,
    version: int | None = None,
) -> AddedSystem:
    """Add a system to an audit that is recorded: its whole baseline, by the same firm,
    of the same kind and window. With `let_in` the auditors who read now read there as
    well, each to their last day; those who audit it on these days anyway stay as they
    are.

    Raises NotPermitted (no officer of either system), TransitionNotAllowed (it has
    ended), StaleVersion, and Refused by field: a system of it already, too many.
    """
    # all of the audit, in the order of their keys, so that two are added one by one
    rows = Engagement.objects.select_for_update(of=("self",)).select_related("system")
    of_audit = list(rows.filter(audit=engagement.audit).order_by("pk"))
    stored = next(row for row in of_audit if row.pk == engagement.pk)
    require_officer(stored.system, by)
    require_officer(system, by)
    refuse_stale(stored, version)
    if stored.ended_at is not None:
        raise TransitionNotAllowed("This engagement has ended. Make another one.")
    there = Engagement.objects.filter(audit=stored.audit)
    if there.filter(system=system).exists():
        raise Refused({"system": f"{system} was added to this audit already."})
    if there.count() >= MAX_SYSTEMS:
        raise Refused({"system": f"An audit covers at most {MAX_SYSTEMS} systems."})
    draft = EngagementDraft(
        stored.title,
        stored.kind,
        stored.firm,
        stored.window_start,
        stored.window_end,
    )
    made = make_engagement(
        system, draft, by=by, today=system.day_of(now), audit=stored.audit
    )
    people, events = _let_into(made, stored, by, now) if let_in else ([], [])
    stored.version += 1  # under the row's lock
    stored.save(update_fields=["version"])
    added = about(
        stored,
        "engagement.system_added",
        by=by,
        system=system.slug,
        engagement=str(made.uuid),
        people=[str(person) for person in people],
    )
    AuditEvent.objects.append_all([*events, added])
    return AddedSystem(made, tuple(people))


def _let_into(
    added: Engagement, engagement: Engagement, by: Actor, now: dt.datetime
) -> tuple[list[User], list[Event]]:
    """Let those who audit in `engagement` now into the added one, to their last day."""
    rows = engagement.memberships.filter(ends_at__gt=now).select_related("user")
    grants = [
        (grant.user, grant.starts_at, grant.ends_at)
        for grant in rows.order_by("user", "ends_at")
        if grant.ends_at is not None and grant.user.is_active
    ]
    reading = {person for person, starts_at, _ in grants if starts_at <= now}
    # of several grants that follow each other the last one's
    until = {person: end for person, _, end in grants if person in reading}
    today = added.system.day_of(now)
    people, events = [], []
    for person, ends_at in until.items():
        last_day = engagement.system.day_of(ends_at - INSTANT)
        # a grant of its own: it has at most 90 days from today on
        last_day = min(last_day, today + MAX_AUDITOR_GRANT - dt.timedelta(days=1))
        held = added.system.memberships.filter(user=person, role=Role.AUDITOR)
        if last_day < today or held.filter(ends_at__gt=now).exists():
            continue
        offer = RoleOffer(Role.AUDITOR, today, last_day, engagement=added)
        _, event = take_role(added.system, person, offer, given_by=by, now=now)
        people.append(person)
        events.append(event)
    return people, events
