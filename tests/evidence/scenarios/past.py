"""A system whose past is built by the owner role, and what the API says of it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.test import Client

from controls.history.clock import clock_at
from controls.models import Role, System, User
from evidence.models import EvidenceLink, RequirementControl
from evidence.models.confirmed_days import NOT_CONFIRMED, DayConfirmation
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories

TICKET = DayConfirmation(confirmed=True, shown_by="Ticket OPS-1, closed that day")
COUNTS = ("expected", "on_time", "late", "missed", "not_yet_due")


def at(day: dt.date, hour: int = 12) -> Any:
    """Inside, what the owner role writes is known since that hour (UTC)."""
    return clock_at(dt.datetime.combine(day, dt.time(hour), tzinfo=dt.UTC))


@dataclass
class Past:
    """A system with an officer, a contributor of its team, and two reviewers."""

    described_on: dt.date
    system: System
    oscar: User
    alice: User
    rita: User
    rolf: User

    @classmethod
    def described(cls, on: dt.date) -> Past:
        """A system that has been described on a day, in use since the year began."""
        with at(on):
            oscar, alice = factories.make_user("oscar"), factories.make_user("alice")
            rita, rolf = factories.make_user("rita"), factories.make_user("rolf")
            system = factories.make_system(oscar)
            RequirementControl.objects.filter(system=system).delete()
            team = factories.make_team()
            early = {"starts_at": dt.datetime(2025, 12, 1, tzinfo=dt.UTC)}
            factories.give_role(alice, system, Role.CONTRIBUTOR, team=team, **early)
            factories.give_role(rita, system, Role.REVIEWER, **early)
            factories.give_role(rolf, system, Role.REVIEWER, **early)
            factories.give_role(oscar, system, Role.OFFICER, **early)
        return cls(on, system, oscar, alice, rita, rolf)

    def ask(self, ref_id: str, title: str, **terms: Any) -> RequirementControl:
        """Something asked of a control, and nothing else."""
        control = factories.implementation(self.system, ref_id)
        columns = {"owner_team": control.owner_team} | terms
        with at(self.described_on):
            return factories.ask_for(control, title, **columns)

    def performed(
        self,
        asked: RequirementControl,
        *,
        about: tuple[dt.date, dt.date],
        on: dt.date,
        uploaded: dt.date | None = None,
        accepted: dt.date | None = None,
        day: DayConfirmation = NOT_CONFIRMED,
    ) -> EvidenceLink:
        """Evidence brought on a day, and accepted on another one if that is named."""
        brought = uploaded or on
        said = Submission(
            title=f"{asked.title} to {about[1]}, {brought}",
            performed_on=on,
            period_start=about[0],
            period_end=about[1],
            collected_on=brought,
        )
        with at(brought):
            upload = store("report.txt", [f"{said.title} {asked.pk}".encode()])
            link = submit(
                said, [upload], requirement=asked, by=self.alice, today=brought
            )
        if accepted is not None:
            with at(accepted):
                link.accept(by=self.rita, day=day)
        return link

    def browser(self, client: Client) -> Client:
        """The officer's."""
        client.force_login(self.oscar)
        return client

    def told(
        self, client: Client, ref_id: str, on: dt.date, known: dt.date | None = None
    ) -> dict[str, Any]:
        """The API's answer about a control on a day, with its window."""
        clocks = {"on": str(on)} | ({"known_at": str(known)} if known else {})
        url = f"/api/v1/systems/{self.system.slug}/controls/{ref_id}/"
        return self._get(client, url, clocks)

    def rows(
        self,
        client: Client,
        ref_id: str,
        on: dt.date,
        window: tuple[dt.date, dt.date] | None = None,
    ) -> dict[str, Any]:
        """The API's occurrences of a control over a window, the system's if none."""
        clocks = {"on": str(on)}
        if window:
            clocks |= {"window_from": str(window[0]), "window_to": str(window[1])}
        url = f"/api/v1/systems/{self.system.slug}/controls/{ref_id}/occurrences/"
        return self._get(client, url, clocks)

    def _get(self, client: Client, url: str, clocks: dict[str, str]) -> dict[str, Any]:
        answer = client.get(url, clocks)
        assert answer.status_code == 200, answer.content
        body: dict[str, Any] = answer.json()
        return body


def counted(body: dict[str, Any]) -> list[int]:
    """Expected, on time, late, missed, not yet due."""
    return [body["period"][name] for name in COUNTS]


def month(number: int, year: int = 2026) -> tuple[dt.date, dt.date]:
    """First and last day of a month."""
    first = dt.date(year, number, 1)
    following = dt.date(year + number // 12, number % 12 + 1, 1)
    return first, following - dt.timedelta(days=1)


def quarter(number: int, year: int = 2026) -> tuple[dt.date, dt.date]:
    """First and last day of a quarter."""
    return month(3 * number - 2, year)[0], month(3 * number, year)[1]
