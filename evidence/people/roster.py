"""Who holds which role in a system, and who is missing for two persons."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from controls.grammar import count_of, day_in_words
from controls.models import (
    Actor,
    AlternativeImplementation,
    ApplicabilityDecision,
    EndRequest,
    Invitation,
    Membership,
    ResponsibilityOverride,
    RetrospectiveChange,
    Role,
    System,
)
from controls.models.invitations import InvitationState
from controls.models.requests import ApprovalState
from evidence.people.leaving import TeamWork, left_alone, without_people

INSTANT = dt.timedelta(microseconds=1)
GROUPS = (
    (Role.OFFICER, "Officers: describe the system, approve as second person"),
    (Role.REVIEWER, "Reviewers: decide on evidence they did not submit"),
    (Role.CONTRIBUTOR, "Contributors: upload evidence for their team"),
    (Role.AUDITOR, "Auditors: read only, within an engagement"),
    (Role.READER, "Read only: see the system and change nothing"),
)
OF_CONTROLS = (
    ResponsibilityOverride,
    ApplicabilityDecision,
    AlternativeImplementation,
    EndRequest,
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
class Warning:
    """Somebody who is missing, and what waits for them."""

    title: str
    sentence: str
    role: str = ""
    again: Membership | None = None


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
        warnings=_warnings(system, held, over, now),
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


def _warnings(
    system: System, held: list[Membership], over: list[Membership], now: dt.datetime
) -> list[Warning]:
    begun = [row for row in held if row.starts_at <= now]
    return [
        *_officers_missing(system, begun, over, now),
        *_reviewers_missing(begun),
        *_teams_alone(without_people(system, now)),
    ]


def _of(rows: Iterable[Membership], *roles: str) -> list[Membership]:
    """One row of each person who holds one of these roles."""
    people = {row.user_id: row for row in rows if row.role in roles}
    return list(people.values())


def _officers_missing(
    system: System, begun: list[Membership], over: list[Membership], now: dt.datetime
) -> list[Warning]:
    officers = _of(begun, Role.OFFICER)
    if len(officers) > 1:
        return _officer_leaves(system, officers)
    title = "No second officer: nobody can approve"
    if not officers:
        title = "No officer: nobody can describe the system or approve"
    before = next(
        (row for row in over if row.role == Role.OFFICER
         and row.user_id not in {one.user_id for one in officers}),
        None,
    )  # fmt: skip
    ended = ""
    if before is not None and before.ends_at is not None:
        day = day_in_words(system.day_of(before.ends_at - INSTANT))
        ended = f"The role of {before.user} ended on {day}. "
    needs = "Overrides, “not applicable” and changes in retrospect need two officers"
    waiting = approvals_waiting(system)
    tail = f", and {count_of(waiting, 'of them,of them', 'waits')}." if waiting else "."
    return [Warning(title, f"{ended}{needs}{tail}", Role.OFFICER, before)]


def _officer_leaves(system: System, officers: list[Membership]) -> list[Warning]:
    """Two there are, but not for long."""
    stay = [row for row in officers if row.ends_at is None]
    if len(stay) > 1:
        return []
    ends = min(row.ends_at for row in officers if row.ends_at is not None)
    day = day_in_words(system.day_of(ends - INSTANT))
    return [
        Warning(
            f"No second officer after {day}",
            "From then on nobody can approve overrides, “not applicable” and changes in"
            " retrospect: they need two officers.",
            Role.OFFICER,
        )
    ]


def _reviewers_missing(begun: list[Membership]) -> list[Warning]:
    reviewers = _of(begun, Role.REVIEWER, Role.OFFICER)
    if len(reviewers) > 1 or not reviewers:
        return []
    only = reviewers[0].user
    return [
        Warning(
            f"Only {only} can review",
            f"Nobody may decide on what {only} submits: evidence is reviewed by"
            " somebody else than who brought it.",
            Role.REVIEWER,
        )
    ]


def _teams_alone(teams: list[TeamWork]) -> list[Warning]:
    return [
        Warning(
            f"Nobody uploads for {work.team}",
            f"{count_of(work.asks, 'ask', 'waits')} for the team, which owns"
            f" {count_of(work.controls, 'control')}.",
            Role.CONTRIBUTOR,
        )
        for work in teams
    ]


def approvals_waiting(system: System) -> int:
    """How many requests of a system wait for a second officer. One statement."""
    return approvals_waiting_by_system([system.pk])[system.pk]


def approvals_waiting_by_system(systems: Iterable[int]) -> Counter[int]:
    """By the key of each of these systems, how many requests wait for a second
    officer. One statement."""
    keys = list(systems)
    waiting: list[Any] = [
        model.objects.filter(
            implementation__system__in=keys, state=ApprovalState.REQUESTED
        )
        .order_by()
        .values_list("implementation__system_id")
        for model in OF_CONTROLS
    ]
    back = RetrospectiveChange.objects.filter(
        system__in=keys, state=ApprovalState.REQUESTED
    )
    rows = back.order_by().values_list("system_id").union(*waiting, all=True)
    return Counter(key for (key,) in rows)
