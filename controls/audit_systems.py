"""An audit of several systems: an engagement in each, which share their `audit`.

People are let into systems, each of which keeps its own officers, days and scope; these
verbs do the same in all systems of an audit in which the person is an officer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import uuid4

from django.db import transaction

from controls.access import is_officer
from controls.engagements import (
    EngagementDraft,
    end_engagement,
    make_engagement,
    renew_engagement,
)
from controls.models import Actor, Engagement, Membership, Role, System, User

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
