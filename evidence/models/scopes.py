"""Who may read what belongs to a team in a system."""

from __future__ import annotations

from typing import Any, Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from controls.models import Actor, Role, System

ALL_TEAMS = [Role.OFFICER, Role.REVIEWER, Role.AUDITOR, Role.READER]


class OfTeamQuerySet(models.QuerySet[Any]):
    """Rows with a system and a team."""

    def visible_to(self, user: Actor) -> Self:
        """Of one's systems; contributors: of the teams they are in there."""
        if user.is_superuser:
            return self
        roles = user.memberships.active().filter(role=Role.CONTRIBUTOR)
        mine = roles.filter(system=OuterRef("system"), team=OuterRef("team"))
        everything = System.objects.held_as(user, ALL_TEAMS)
        return self.filter(Q(system__in=everything) | Q(Exists(mine)))

    def of_own_teams(self, user: Actor) -> Self:
        """Of the teams for which one contributes in the system; all as its officer."""
        roles = user.memberships.active().filter(role=Role.CONTRIBUTOR)
        own = roles.filter(system=OuterRef("system"), team=OuterRef("team"))
        officered = System.objects.officered_by(user)
        return self.filter(Q(system__in=officered) | Q(Exists(own)))
