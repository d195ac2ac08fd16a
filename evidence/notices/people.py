"""Who holds which role where, read once for all sources."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from controls.models import Membership, Role

Pair = tuple[int, int]


class People:
    """Active people by system and role. One statement.

    A membership that has ended, and an account that is closed, is told nothing (AC-03).
    """

    def __init__(self) -> None:
        self.by_role: dict[tuple[int, str], set[int]] = defaultdict(set)
        self.by_system: dict[int, set[int]] = defaultdict(set)
        self.by_team: dict[Pair, set[int]] = defaultdict(set)
        self.by_engagement: dict[int, set[int]] = defaultdict(set)
        rows = Membership.objects.active().filter(user__is_active=True)
        for system, user, role, team, engagement in rows.values_list(
            "system_id", "user_id", "role", "team_id", "engagement_id"
        ):
            self.by_role[(system, role)].add(user)
            self.by_system[system].add(user)
            if role == Role.CONTRIBUTOR and team:
                self.by_team[(system, team)].add(user)
            if role == Role.AUDITOR and engagement:
                self.by_engagement[engagement].add(user)

    def officers(self, system: int, *, but: Iterable[Any] = ()) -> set[int]:
        """Officers of a system, without some people."""
        return self.by_role[(system, Role.OFFICER)] - set(but)

    def reviewers(self, system: int, *, but: Iterable[Any] = ()) -> set[int]:
        """Reviewers and officers of a system, without some people."""
        reviewers = self.by_role[(system, Role.REVIEWER)] | self.officers(system)
        return reviewers - set(but)

    def team(self, system: int, team: int | None) -> set[int]:
        """Contributors of a team in a system."""
        return self.by_team[(system, team)] if team else set()

    def contributors(self, system: int) -> set[int]:
        """Contributors of any team in a system."""
        return self.by_role[(system, Role.CONTRIBUTOR)]

    def auditors(self, engagement: int) -> set[int]:
        """Auditors let in for an engagement."""
        return self.by_engagement[engagement]

    def here(self, system: int, users: Iterable[int | None]) -> set[int]:
        """Those of some people who hold any role in a system."""
        return self.by_system[system] & {user for user in users if user}
