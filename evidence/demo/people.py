"""The people of the demo company, their teams and their roles."""

from __future__ import annotations

import datetime as dt

from django.contrib.auth.hashers import make_password
from django.db import transaction

from controls.models import (
    Engagement,
    InstallationRole,
    InstallationRoleName,
    Membership,
    System,
    Team,
    User,
)
from evidence.demo import company
from evidence.demo.clock import DAY, instant_of

People = dict[str, User]  # by the local part of their address
Teams = dict[str, Team]  # by slug


@transaction.atomic
def make_people(password: str) -> tuple[People, Teams]:
    """Teams, the people, and the administrator, who has no password.

    All share one password, so it is hashed once: that is slow by design.
    """
    teams = {
        slug: Team.objects.create(slug=slug, name=name) for slug, name in company.TEAMS
    }
    password_hash = make_password(password)
    people = {
        local: User.objects.create(
            email=f"{local}@{company.DOMAIN}",
            name=name,
            is_staff=role == "officer",
            password=password_hash,
        )
        for local, name, role, _ in company.PEOPLE
    }
    User.objects.create_superuser(company.ADMINISTRATOR, name="Ada Administrator")
    return people, teams


def give_roles(
    system: System, people: People, teams: Teams, *, since: dt.datetime
) -> None:
    """Everyone's role but the officer's, who has it, and the auditor's."""
    for local, _, role, team in company.PEOPLE:
        if role == "auditor" or local == "olivia":
            continue
        Membership.objects.create(
            system=system,
            user=people[local],
            role=role,
            team=teams.get(team),
            starts_at=since,
        )


def give_installation_roles(people: People, *, since: dt.datetime) -> None:
    """Officers of the company describe systems and keep the register of reports."""
    InstallationRole.objects.bulk_create(
        InstallationRole(user=people[local], role=name, starts_at=since)
        for local, _, role, _ in company.PEOPLE
        if role == "officer"
        for name in InstallationRoleName.values
    )


def engage_auditor(system: System, people: People, today: dt.date) -> None:
    """An audit of this year's window, and the auditor who may read meanwhile."""
    engagement = Engagement.objects.create(
        system=system,
        title=f"FedRAMP annual assessment {today.year}",
        kind="fr-annual",
        firm="Harbour & Stone Assessors",
        window_start=system.window_start,
        window_end=system.window_end,
    )
    Membership.objects.create(
        system=system,
        user=people["audrey"],
        role="auditor",
        engagement=engagement,
        starts_at=instant_of(today - 20 * DAY, 0),
        ends_at=instant_of(today + 60 * DAY, 0),
    )
