"""Who audits in an engagement, and until when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from controls.memberships import INSTANT
from controls.models import Engagement, Invitation, Membership, System, User
from controls.models.invitations import InvitationState


@dataclass(frozen=True)
class Auditor:
    """A person of an engagement with all grants, the latest first."""

    user: User
    grants: tuple[Membership, ...]
    now: dt.datetime

    @property
    def let_in(self) -> bool:
        """Whether the person reads now."""
        return any(
            grant.starts_at <= self.now < _end(grant) for grant in self.grants
        ) and bool(self.user.is_active)

    @property
    def over(self) -> bool:
        """Whether the last grant has ended."""
        return _end(self.grants[0]) <= self.now

    @property
    def first_day(self) -> dt.date:
        """The first day of the first grant, in the system's zone."""
        grant = self.grants[-1]
        return grant.system.day_of(grant.starts_at)

    @property
    def last_day(self) -> dt.date:
        """The last day of the last grant, in the system's zone, included."""
        grant = self.grants[0]
        return grant.system.day_of(_end(grant) - INSTANT)


def _end(grant: Membership) -> dt.datetime:
    assert grant.ends_at is not None
    return grant.ends_at


def auditors_of(
    engagements: Iterable[Engagement], now: dt.datetime
) -> dict[int, list[Auditor]]:
    """The auditors of each engagement, by its key, in the order of their names.

    One statement, however many engagements there are.
    """
    keys = [engagement.pk for engagement in engagements]
    rows = Membership.objects.filter(engagement__in=keys, ends_at__isnull=False)
    grants = rows.select_related("user", "system").order_by("-ends_at", "-pk")
    by_person: dict[tuple[int, int], list[Membership]] = {}
    for grant in grants:
        assert grant.engagement_id is not None
        by_person.setdefault((grant.engagement_id, grant.user_id), []).append(grant)
    auditors: dict[int, list[Auditor]] = {key: [] for key in keys}
    for (engagement, _), held in by_person.items():
        auditors[engagement].append(Auditor(held[0].user, tuple(held), now))
    for people in auditors.values():
        people.sort(key=lambda auditor: (str(auditor.user).lower(), auditor.user.pk))
    return auditors


@dataclass(frozen=True)
class Listed:
    """An engagement with its auditors."""

    engagement: Engagement
    auditors: Sequence[Auditor]

    @property
    def let_in(self) -> list[Auditor]:
        """Those who read now."""
        return [auditor for auditor in self.auditors if auditor.let_in]


def engagements_of(system: System, now: dt.datetime) -> list[Listed]:
    """All engagements of a system, running ones first, the latest window first."""
    rows = list(system.engagements.order_by("-window_end", "-pk"))
    rows.sort(key=lambda engagement: engagement.ended_at is not None)
    auditors = auditors_of(rows, now)
    return [Listed(engagement, auditors[engagement.pk]) for engagement in rows]


def open_invitations(engagement: Engagement) -> list[Invitation]:
    """Invitations to audit that nobody has accepted or withdrawn, oldest first."""
    rows = Invitation.objects.filter(engagement=engagement, state=InvitationState.OPEN)
    return list(rows.order_by("pk"))
