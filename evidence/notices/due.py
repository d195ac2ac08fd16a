"""Proof that is due soon or overdue: told to its team, long overdue to the officers.

Source: rule R31.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.db.models.functions import Coalesce
from django.urls import reverse

from controls.models import System, Team
from controls.models.systems import systems_by_day
from evidence.models import RequirementControl
from evidence.models.notices import NoticeKind
from evidence.notices.candidates import NoticeCandidate
from evidence.notices.first_asked import Digest, first_due_since, statements
from evidence.notices.people import People
from evidence.planning.asks import Ask, standing
from evidence.planning.newest_links import light, whole
from evidence.planning.standing_scope import (
    PRESSING,
    StandingScope,
    keys_where,
    states_of_standings,
)
from evidence.status.cadence import lead_days
from evidence.status.kept_counts import kept_counts
from evidence.status.rows import among

MAX_NAMED = 3  # controls that a sentence names
# Seconds. Whatever changes where a row stands changes what it is kept under.
KEPT = 6 * 60 * 60


@dataclass(frozen=True)
class DueAsk:
    """The rows of one ask that are due on one day, as a notice tells of them.

    `about` names ask and day, `upload` and `control` are addresses, `overdue` counts
    the days since it was due (0: not yet).
    """

    about: str
    team: int | None
    upload: str
    control: str
    parameters: dict[str, str]
    overdue: int
    soon: bool


@dataclass(frozen=True)
class DueOfSystem:
    """What falls due in one system, whoever is told; and what did before it was
    stated, counted for each team."""

    asks: Sequence[DueAsk]
    digests: Sequence[tuple[Digest, int]]


def requirements(people: People, instant: dt.datetime) -> Iterator[NoticeCandidate]:
    """Proof due soon or overdue: its team; long overdue: the officers too.

    Not what is asked per event: it has no due day of its own. What fell due before it
    was stated comes as one digest for each team, and reaches no officer as late (R31).
    Judged anew for systems of which something changed since an earlier run.
    """
    states = states_of_standings()
    settled: dict[System, dt.date] = {}
    changed: list[System] = []
    for system in System.objects.all():
        if system.pk in states:
            settled[system] = system.day_of(instant)
        else:
            changed.append(system)
    due_of_systems = _due_of(changed, instant) | kept_counts(
        "due",
        settled,
        lambda systems: _due_of(systems, instant),
        more=states,
        seconds=KEPT,
    )
    for key, of_system in due_of_systems.items():
        for ask in of_system.asks:
            yield from _of_ask(people, key, ask)
        for digest, number in of_system.digests:
            yield digest.notice(people, number)


def _due_of(systems: Sequence[System], instant: dt.datetime) -> dict[int, DueOfSystem]:
    digests: Counter[Digest] = Counter()
    pressing = _pressing(systems, instant)
    keys = [state.requirement.pk for state in pressing]
    stated_at, teams = statements(keys), _teams(keys)
    due: list[Ask] = []
    for state in pressing:
        row: Any = state.requirement
        stated = row.system.day_of(stated_at[row.pk])
        if _first_due(state) < stated:
            digests[Digest(row.system, teams[row.pk], stated)] += 1
        day = _due_since(row, state, stated)
        if day is not None:
            due.append(replace(state, due=day, late=day < state.today))
    # one line for each ask: its controls that are due on one day
    due_rows: defaultdict[Any, list[tuple[Any, Ask]]] = defaultdict(list)
    shown = whole([state.requirement for state in due])
    for state in due:
        known = shown[state.requirement.pk]
        due_rows[known.joined_id or f"row {known.pk}", state.due].append((known, state))
    asks: defaultdict[int, list[DueAsk]] = defaultdict(list)
    for rows_of_ask in due_rows.values():
        asks[rows_of_ask[0][0].system_id].append(_due_ask(rows_of_ask))
    return {
        system.pk: DueOfSystem(
            asks[system.pk],
            [(row, n) for row, n in digests.items() if row.system.pk == system.pk],
        )
        for system in systems
    }


def _teams(keys: Sequence[int]) -> dict[int, Team | None]:
    """Whose work each of the rows is. Two statements."""
    rows = RequirementControl.objects.filter(pk__in=among(keys)).order_by()
    team = Coalesce("owner_team", "implementation__owner_team")
    numbers = dict(rows.values_list("pk", team))
    teams = Team.objects.in_bulk(set(numbers.values()) - {None})
    return {pk: teams.get(number) for pk, number in numbers.items()}


def _first_due(state: Ask) -> dt.date:
    """The day of the oldest missing period, else the day its proof runs out."""
    days = [period.due for period in state.missing] or [state.due]
    return min(day for day in days if day is not None)


def _due_since(row: Any, state: Ask, stated: dt.date) -> dt.date | None:
    """The first day to tell of that is not before the one on which it was stated."""
    missing = [period.due for period in state.missing if period.due]
    since = next((due for due in missing if due >= stated), None)
    if since or not _still_to_come(state):
        return since
    due = state.due if state.due and state.due >= stated else None
    due = due or first_due_since(row, stated)
    # of missing periods the last is named above: what is over is answered
    return due if due and (not missing or due >= state.today) else None


def _still_to_come(state: Ask) -> bool:
    """Whether its present proof ends and nothing waits for a decision."""
    return state.due is not None and state.state not in {"waiting", "current"}


def _pressing(of_systems: Sequence[System], instant: dt.datetime) -> list[Ask]:
    """What has a missing period, or will be due within its lead time.

    Rows are chosen by their kept standings: of most there is nothing to tell.
    """
    scope = StandingScope([(system, None) for system in of_systems], instant)
    keys = among(keys_where(scope, PRESSING))
    chosen = RequirementControl.objects.filter(pk__in=keys)
    pressing = []
    for today, systems in systems_by_day(of_systems, instant).items():
        for state in standing(light(chosen.order_by("pk"), systems), today):
            row = state.requirement
            lead = dt.timedelta(lead_days(row.cadence, row.lead_days))
            soon = state.due is not None and state.due - lead <= today
            if state.missing or (soon and _still_to_come(state)):
                pressing.append(state)
    return pressing


def _due_ask(rows: Sequence[tuple[Any, Any]]) -> DueAsk:
    """Of the rows of one ask, each with how it stands, that are due on one day."""
    row, state = rows[0]
    team = row.owner_team or row.implementation.owner_team
    controls = [known.implementation.control.label for known, _ in rows]
    named = ", ".join(controls[:MAX_NAMED])
    if len(controls) > MAX_NAMED:
        named += f" and {len(controls) - MAX_NAMED} more"
    slug, ref_id = row.system.slug, row.implementation.control.ref_id
    lead = dt.timedelta(lead_days(row.cadence, row.lead_days))
    return DueAsk(
        about=f"{(row.joined or row).uuid}:{state.due}",
        team=team.pk if team else None,
        upload=reverse("evidence:upload", args=[slug, row.uuid]),
        control=reverse("evidence:control", args=[slug, ref_id]),
        parameters={
            "what": f"{named} {row.title}",
            "day": str(state.due),
            "team": str(team or "Nobody"),
        },
        overdue=(state.today - state.due).days if state.late else 0,
        soon=state.due - lead <= state.today,
    )


def _of_ask(people: People, system: int, ask: DueAsk) -> Iterator[NoticeCandidate]:
    of_team = frozenset(people.team(system, ask.team))
    if not ask.overdue:
        if ask.soon:
            kind, key = NoticeKind.DUE_SOON, f"due:{ask.about}"
            yield NoticeCandidate(
                kind, key, of_team, system, ask.upload, ask.parameters
            )
        return
    kind, key = NoticeKind.OVERDUE, f"overdue:{ask.about}"
    yield NoticeCandidate(kind, key, of_team, system, ask.upload, ask.parameters)
    if ask.overdue > settings.ESCALATE_AFTER_DAYS:
        officers = frozenset(people.officers(system, but=of_team))
        kind, key = NoticeKind.ESCALATED, f"late:{ask.about}"
        yield NoticeCandidate(kind, key, officers, system, ask.control, ask.parameters)
