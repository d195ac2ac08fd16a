"""The company whose pages are measured: its systems, its people and their pages."""

from __future__ import annotations

import datetime as dt

from bench.history import Hands, grow, settle
from bench.measuring import describe
from bench.uploads import session_of
from controls.models import Membership, Role, System, Team, User
from evidence.notices.gathering import gather_notices
from evidence.planning.standing_upkeep import keep_standings


class Company:
    """Systems of one baseline with a team, a reviewer and an officer in all of them."""

    def __init__(self, systems: int, baseline: str) -> None:
        self.admin = User.objects.create_superuser("bench@example.com", "x")
        self.systems: list[System] = [
            describe(f"bench-{n:03}", baseline, self.admin) for n in range(systems)
        ]
        self.team = Team.objects.get(slug="bench")
        self.people = {
            role: self._person(role)
            for role in (Role.CONTRIBUTOR, Role.REVIEWER, Role.OFFICER)
        }

    def _person(self, role: str) -> User:
        person = User.objects.create_user(f"{role}@example.com", "x", name=str(role))
        team = self.team if role == Role.CONTRIBUTOR else None
        for system in self.systems:
            Membership.objects.create(system=system, user=person, role=role, team=team)
        return person

    def grow(self, rows: int) -> None:
        """As many more rows of evidence in each system."""
        hands = Hands(
            self.team, self.people[Role.CONTRIBUTOR], self.people[Role.REVIEWER]
        )
        for system in self.systems:
            grow(system, rows, hands, until=dt.date.today())
        keep_standings(dt.datetime.now(dt.UTC))  # as the worker does each minute
        settle()

    def gather_notices(self) -> None:
        """One run, as the worker makes it each minute."""
        gather_notices(dt.datetime.now(dt.UTC))

    def pages(self) -> dict[str, tuple[str, str]]:
        """Cookie and address of each page that is measured, by its name."""
        contributor, reviewer, officer = (
            session_of(self.people[role])
            for role in (Role.CONTRIBUTOR, Role.REVIEWER, Role.OFFICER)
        )
        one = self.systems[0]
        home = f"/systems/{one.slug}"
        control = one.requirements.order_by("pk").first()
        assert control is not None
        ref = control.implementation.control.ref_id
        return {
            "My work, contributor": (contributor, "/work/"),
            "My work, reviewer": (reviewer, "/work/"),
            "calendar, mine": (contributor, "/calendar/"),
            "calendar, system": (officer, f"{home}/calendar/"),
            "systems list": (officer, "/systems/"),
            "systems list, counted anew": (officer, "/systems/"),
            "review queue": (reviewer, "/review/"),
            "dashboard": (officer, f"{home}/"),
            "dashboard, counted anew": (officer, f"{home}/"),
            "control list, 100 rows": (officer, f"{home}/controls/"),
            "control page": (officer, f"{home}/controls/{ref}/"),
            "notices": (officer, "/notices/"),
            "API: files": (officer, "/api/v1/files/"),
            "API: whole assessment": (officer, f"/api/v1{home}/controls/"),
        }
