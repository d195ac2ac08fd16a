"""What is asked of a person, judged row by row: kept standings are held against it."""

from __future__ import annotations

import datetime as dt

from django.db.models import Q

from controls.models import Actor, Role, System
from controls.models.systems import systems_by_day
from evidence.models import RequirementControl
from evidence.models.asks import Cadence
from evidence.planning.asks import Ask, standing
from evidence.planning.by_ask import AskRow
from evidence.planning.newest_links import light


def asked_of(user: Actor, now: dt.datetime) -> list[Ask]:
    """What the person's own teams are to prove, most urgent first."""
    of_teams = Q(pk__in=[])
    for membership in user.memberships.active(None).filter(role=Role.CONTRIBUTOR):
        team = Q(owner_team=membership.team_id) | Q(
            owner_team=None, implementation__owner_team=membership.team_id
        )
        of_teams |= team & Q(system=membership.system_id)
    rows = RequirementControl.objects.filter(of_teams).of_our_half().order_by("pk")
    recurring = rows.exclude(cadence=Cadence.PER_EVENT)
    systems = System.objects.held_as(user, [Role.CONTRIBUTOR])
    asks = [
        ask
        for today, of_day in systems_by_day(systems, now).items()
        for ask in standing(light(recurring, of_day), today)
    ]
    return sorted(asks, key=lambda ask: (ask.urgency, ask.requirement.pk))


def is_to_do(row: AskRow) -> bool:
    """Whether somebody of the team has something to bring for an ask now."""
    return any(
        ask.state not in {"waiting", "current"} or ask.missing for ask in row.controls
    )


def is_open(row: AskRow) -> bool:
    """Whether there is something to do, or something waits."""
    return any(ask.state != "current" or ask.missing for ask in row.controls)
