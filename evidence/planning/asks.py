"""What is asked of a person's teams, where each stands today and when it is due.

Each list is a constant number of statements, however many systems a person has.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from controls.models import Actor, Role, System
from controls.models.systems import systems_by_day
from evidence.models import Population, RequirementControl, SampleItem
from evidence.models.asks import Cadence
from evidence.planning.newest_links import newest_links, oldest_period, whole
from evidence.planning.open_periods import (
    DuePeriod,
    open_periods_of,
    period_due,
    with_gaps,
)
from evidence.status.cadence import due_on, lead_days, occurrence_of

URGENCY = ("rejected", "overdue", "never", "expiring", "waiting", "current")
WORDS = {
    "rejected": "Rejected",
    "overdue": "Overdue",
    "never": "Never shown",
    "expiring": "Due soon",
    "waiting": "Waiting for review",
    "current": "Up to date",
}

MARKS = {
    "rejected": "rejected",
    "overdue": "lapsed",
    "never": "missing",
    "expiring": "expiring",
    "waiting": "pending",
    "current": "proven",
}


@dataclass(frozen=True)
class Ask:
    """One requirement of mine, where it stands today, and by when it is due.

    `due` is None where nothing runs out (performed once); `late` says it has passed.
    Until `to_show` its requirement is a `LightRow`.
    State and due day are those of the present. `open_periods` have ended and wait for
    a performance, oldest first; `period` is what to bring next.
    """

    requirement: RequirementControl
    today: dt.date  # the day of its system
    state: str
    due: dt.date | None
    period: DuePeriod
    open_periods: tuple[DuePeriod, ...] = ()
    rejection: str = ""
    late: bool = False

    @cached_property
    def missing(self) -> tuple[DuePeriod, ...]:
        """The open periods whose due day has passed, oldest first."""
        return tuple(period for period in self.open_periods if period.overdue)

    @cached_property
    def urgency(self) -> tuple[int, dt.date, int]:
        """By what rows are sorted: a missing period is as urgent as overdue proof.

        `evidence.planning.board` says the same in SQL.
        """
        own = URGENCY.index(self.state)
        state, due = own, self.due or dt.date.max
        if self.missing:
            state = min(state, URGENCY.index("overdue"))
            due = min(due, self.missing[0].due or due)
        return state, due, own

    @property
    def shown_state(self) -> str:
        """Its state; overdue where an older period is missing: proof of today, or what
        waits, does not bring that. `evidence.planning.board` says the same in SQL."""
        if self.missing and self.state in {"expiring", "waiting", "current"}:
            return "overdue"
        return self.state

    @property
    def mark(self) -> str:
        """The half state this amounts to, for the shape and colour beside the word."""
        return MARKS[self.shown_state]

    @property
    def word(self) -> str:
        """The shown state in plain words."""
        return WORDS[self.shown_state]

    @property
    def again(self) -> str:
        """What a link to repeat the last proof says: `Same again for October 2026`."""
        name = self.period.name  # of the terms of its days, not of today's
        return f"Same again for {name}" if name else "Same again"


def with_newest_links(requirements: Iterable[Any], today: dt.date) -> list[Any]:
    """Each with its best accepted link, what waits, and its newest rejection.

    They are set on the rows by the names of `NewestLinks`, as of the terms in force
    on `today`. One statement, besides that of the rows.
    """
    rows = list(requirements)
    since = oldest_period(rows, today)
    newest = newest_links((row.pk for row in rows), today, since=since)
    for row in rows:
        vars(row).update(vars(newest[row.pk]))
    return rows


def _contributed(user: Actor) -> QuerySet[System]:
    return System.objects.held_as(user, [Role.CONTRIBUTOR])


def _of_my_teams(user: Actor, now: dt.datetime) -> QuerySet[RequirementControl]:
    """What is asked of the person's own teams on the day that it is in its system."""
    mine = user.memberships.active(None).filter(role=Role.CONTRIBUTOR)
    of_teams = Q(pk__in=[])
    for membership in mine:
        team = Q(owner_team=membership.team_id) | Q(
            owner_team=None, implementation__owner_team=membership.team_id
        )
        of_teams |= team & Q(system=membership.system_id)
    in_operation = Q(pk__in=[])
    for today, systems in systems_by_day(_contributed(user), now).items():
        begun = Q(system__in=systems, operates_from__lte=today)
        in_operation |= begun & (Q(operates_until=None) | Q(operates_until__gt=today))
    return (
        RequirementControl.objects.for_listing()
        .filter(of_teams, in_operation)
        .of_our_half()
    )


def standing(rows: Iterable[Any], today: dt.date) -> list[Ask]:
    """Where each of the rows of `light` stands on a day: for My work and for notices.

    Those in operation that day come with their open periods. Five statements at most.
    """
    in_operation = [
        row
        for row in rows
        if row.operates_from <= today < (row.operates_until or dt.date.max)
    ]
    judged = with_newest_links(in_operation, today)
    opened = open_periods_of(with_gaps(judged, today), today)
    return [ask(row, today, opened.get(row.pk, ())) for row in judged]


def to_show(asks: Sequence[Ask]) -> list[Ask]:
    """The same with all that a page shows of their requirements. One statement."""
    shown = whole([row.requirement for row in asks])
    return [replace(row, requirement=shown[row.requirement.pk]) for row in asks]


def ask(
    requirement: RequirementControl,
    today: dt.date,
    unanswered: Sequence[DuePeriod] = (),
) -> Ask:
    """Where one requirement stands; it must come from `with_newest_links`.

    `unanswered` are its open periods (`open_periods_of`), where they are shown.
    """
    row: Any = requirement
    due = due_day(row)
    state = _state(row, due, today, rejected=is_rejected(row))
    return Ask(
        requirement=requirement,
        today=today,
        state=state,
        due=due,
        period=period_due(requirement, unanswered, today),
        open_periods=tuple(unanswered),
        # its reason is told only while it is the state
        rejection=row.rejection if state == "rejected" else "",
        late=due is not None and due < today,
    )


def due_day(row: Any) -> dt.date | None:
    """When its proof runs out, without any the first time; None: never."""
    return row.proven_to if row.proven_link else _first_due(row)


def is_rejected(row: Any) -> bool:
    """Whether something was rejected, and nothing accepted was submitted later."""
    return bool(
        row.rejected_at
        and (not row.proven_submitted or row.rejected_at > row.proven_submitted)
    )


def _state(row: Any, due: dt.date | None, today: dt.date, *, rejected: bool) -> str:
    if row.waiting:
        return "waiting"
    if rejected:
        return "rejected"
    if not row.proven_link:
        return "never"
    if due is None:
        return "current"
    if due < today:
        return "overdue"
    lead = dt.timedelta(days=lead_days(row.cadence, row.lead_days))
    return "expiring" if due - lead <= today else "current"


def _first_due(requirement: RequirementControl) -> dt.date | None:
    cadence = requirement.cadence
    first = occurrence_of(cadence, requirement.operates_from)
    if first is None:
        return None
    return due_on(cadence, first, requirement.grace_days)


def per_event_of(user: Actor, now: dt.datetime) -> QuerySet[RequirementControl]:
    """What the person's teams show per event, each with how far it is.

    `known_to` is the last day that a standing population speaks of, `open_items` the
    number of sampled items with neither proof, nor a submission, nor a deviation.
    """
    standing = Population.objects.standing()
    theirs = standing.filter(requirement=OuterRef("pk")).order_by("-ends", "-pk")
    items = SampleItem.objects.with_state().filter(
        sample__population__in=standing.values("pk"),
        sample__population__requirement=OuterRef("pk"),
        state__in=["open", "rejected"],
        deviation_note=None,
    )
    counted_items = items.order_by().values("sample__population__requirement")
    number = counted_items.annotate(n=Count("item", distinct=True)).values("n")
    return (
        _of_my_teams(user, now)
        .filter(cadence=Cadence.PER_EVENT)
        .annotate(
            known_to=Subquery(theirs.values("ends")[:1]),
            open_items=Coalesce(Subquery(number), 0),
        )
        .order_by("implementation__control__sort_order", "pk")
    )
