"""Who holds which role in a system, with who is missing (`missing.py`)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from controls.grammar import day_in_words
from controls.models import (
    Actor,
    Invitation,
    Membership,
    Role,
    System,
)
from controls.models.invitations import InvitationState
from evidence.people.leaving import TeamWork, left_alone
from evidence.people.missing import INSTANT, Warning, missing_among

GROUPS = (
    (Role.OFFICER, "Officers: describe the system, approve as second person"),
    (Role.REVIEWER, "Reviewers: decide on evidence they did not submit"),
    (Role.CONTRIBUTOR, "Contributors: upload evidence for their team"),
    (Role.AUDITOR, "Auditors: read only, within an engagement"),
    (Role.READER, "Read only: see the system and change nothing"),
)


@dataclass(frozen=True)
class Holder:
    """One role of one person, as a row of the page shows it."""

    membership: Membership
    first_day: dt.date
    last_day: dt.date | None
    last_seen: str
    is_reader: bool
    begun: bool
    left_alone: int

    @property
    def days(self) -> str:
        """Since when, and until when, in the words of a table."""
        if never_held(self.membership):
            return "never in force: ended before it began"
        if self.last_day:
            return f"{self.first_day} to {self.last_day}"
        return f"since {self.first_day}" if self.begun else f"from {self.first_day}"


def never_held(membership: Membership) -> bool:
    """Whether a role was ended before its first day: an instant is left of it."""
    ends_at = membership.ends_at
    return ends_at is not None and ends_at - membership.starts_at <= INSTANT


@dataclass(frozen=True)
class Roster:
    """The people of a system on a day."""

    groups: list[tuple[str, list[Holder]]]
    ended: list[Holder]
    warnings: list[Warning]
    invitations: list[Invitation]


def roster_of(system: System, reader: Actor, now: dt.datetime) -> Roster:
    """The people of a system, those who held a role, and who is missing.

    Constant in statements, whatever the number of people.
    """
    rows = list(
        system.memberships.filter(user__is_active=True)
        .select_related("user", "team", "engagement")
        .order_by("user__name", "user__email", "starts_at", "pk")
    )
    held = [row for row in rows if row.ends_at is None or row.ends_at > now]
    leaving = [row for row in held if row.ends_at is not None]
    alone = {work.team.pk: work for work in left_alone(system, leaving)}
    holders = [_holder(system, row, reader, now, alone) for row in held]
    groups = [
        (title, [one for one in holders if one.membership.role == role])
        for role, title in GROUPS
    ]
    over = [row for row in rows if row.ends_at is not None and row.ends_at <= now]
    over.sort(key=lambda row: row.ends_at or now, reverse=True)
    return Roster(
        groups=[(title, those) for title, those in groups if those],
        ended=[_holder(system, row, reader, now, {}) for row in over],
        warnings=missing_among([system], rows, now)[system.pk],
        invitations=_open_invitations(system),
    )


def _open_invitations(system: System) -> list[Invitation]:
    waiting = system.invitations.filter(state=InvitationState.OPEN)
    return list(
        waiting.select_related("system", "team", "invited_by").order_by("invited_at")
    )


def _holder(
    system: System,
    row: Membership,
    reader: Actor,
    now: dt.datetime,
    alone: dict[int, TeamWork],
) -> Holder:
    work = alone.get(row.team_id or 0) if row.ends_at else None
    return Holder(
        membership=row,
        first_day=system.day_of(row.starts_at),
        last_day=system.day_of(row.ends_at - INSTANT) if row.ends_at else None,
        last_seen=_seen(system, row.user.last_login, now),
        is_reader=row.user_id == reader.pk,
        begun=row.starts_at <= now,
        left_alone=(work.asks or work.controls) if work else 0,
    )


def _seen(system: System, instant: dt.datetime | None, now: dt.datetime) -> str:
    """The day of the last sign-in, in words."""
    if instant is None:
        return "never"
    day, today = system.day_of(instant), system.day_of(now)
    if day == today:
        return "today"
    if day == today - dt.timedelta(days=1):
        return "yesterday"
    return day_in_words(day)
