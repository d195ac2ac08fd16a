"""Who is missing for two persons: the one answer for a system's people, its overview
and the officers' desk, which speaks of many systems."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from controls.accounts.mailboxes import sharing_a_mailbox
from controls.grammar import count_of, day_in_words
from controls.models import (
    AlternativeImplementation,
    ApplicabilityDecision,
    EndRequest,
    Membership,
    ResponsibilityOverride,
    RetrospectiveChange,
    Role,
    System,
)
from controls.models.requests import ApprovalState
from evidence.people.leaving import TeamWork, without_people

INSTANT = dt.timedelta(microseconds=1)
OF_CONTROLS = (
    ResponsibilityOverride,
    ApplicabilityDecision,
    AlternativeImplementation,
    EndRequest,
)


@dataclass(frozen=True)
class Warning:
    """Somebody who is missing, and what waits for them."""

    title: str
    sentence: str
    role: str = ""
    again: Membership | None = None

    def title_in(self, system: System) -> str:
        """The title with the system named, for lists of several."""
        head, colon, rest = self.title.partition(":")
        return f"{head} in {system.name}{colon}{rest}"


def missing_people(
    systems: Sequence[System], now: dt.datetime
) -> dict[int, list[Warning]]:
    """By the key of each system, who is missing there; constant in statements."""
    rows = Membership.objects.filter(system__in=systems, user__is_active=True)
    return missing_among(systems, rows.select_related("user").order_by("pk"), now)


def missing_without(membership: Membership, now: dt.datetime) -> list[Warning]:
    """Who would be missing if a role ended now, and is not missing today."""
    system = membership.system
    rows = list(
        Membership.objects.filter(system=system, user__is_active=True)
        .select_related("user")
        .order_by("pk")
    )
    left = [row for row in rows if row.pk != membership.pk]
    today = {one.title for one in missing_among([system], rows, now)[system.pk]}
    without = missing_among([system], left, now)[system.pk]
    return [one for one in without if one.title not in today]


def missing_among(
    systems: Sequence[System], rows: Iterable[Membership], now: dt.datetime
) -> dict[int, list[Warning]]:
    """The same, given all memberships of people with an account there."""
    by_system: defaultdict[int, list[Membership]] = defaultdict(list)
    for row in rows:
        by_system[row.system_id].append(row)
    keys = [system.pk for system in systems]
    alone, waiting = without_people(keys, now), approvals_waiting(keys)
    warnings = {}
    for system in systems:
        begun = [row for row in by_system[system.pk] if row.starts_at <= now]
        here = [row for row in begun if row.ends_at is None or row.ends_at > now]
        over = [row for row in begun if row.ends_at is not None and row.ends_at <= now]
        over.sort(key=lambda row: row.ends_at or now, reverse=True)
        warnings[system.pk] = [
            *_officers_missing(system, here, over, waiting[system.pk]),
            *_reviewers_missing(here),
            *_teams_alone(alone.get(system.pk, [])),
            *_one_person_twice(here),
        ]
    return warnings


def _of(rows: Iterable[Membership], *roles: str) -> list[Membership]:
    """One row of each person who holds one of these roles."""
    people = {row.user_id: row for row in rows if row.role in roles}
    return list(people.values())


def _officers_missing(
    system: System, begun: list[Membership], over: list[Membership], waiting: int
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


def _one_person_twice(begun: list[Membership]) -> list[Warning]:
    """R32: two accounts that one person opens are one person."""
    return [
        Warning(
            f"One mailbox, {count_of(len(same), 'account')}",
            f"{' and '.join(sorted(person.email for person in same))} lead to one"
            " mailbox. If that is one person, what needs two persons is decided by one:"
            " end the roles of all accounts but one.",
        )
        for same in sharing_a_mailbox(row.user for row in begun)
    ]


def approvals_waiting(systems: Iterable[int]) -> Counter[int]:
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
