"""The people of the stories, and the system they work on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from controls import clock
from controls.models import Role, System, Team, User
from tests import factories
from tests.sign_ins import sign_in_just_now


@pytest.fixture
def platform(db: Any) -> Team:
    """The team that owns the controls."""
    return factories.make_team("Platform")


@pytest.fixture
def oscar(db: Any) -> User:
    """Compliance officer, who described the system."""
    return factories.make_user("oscar")


@pytest.fixture
def system(oscar: User, platform: Team) -> System:
    """Payments: EC2, S3 and IAM since January, audited over 2026 under SOC 2."""
    return factories.make_system(oscar, team=platform)


@pytest.fixture
def olga(system: System) -> User:
    """The second compliance officer."""
    user = factories.make_user("olga")
    factories.give_role(user, system, Role.OFFICER)
    factories.give_installation_roles(user)
    return user


@pytest.fixture
def alice(system: System, platform: Team) -> User:
    """Contributor of team Platform."""
    user = factories.make_user("alice")
    factories.give_role(user, system, Role.CONTRIBUTOR, team=platform)
    return user


@pytest.fixture
def rita(system: System) -> User:
    """Reviewer."""
    user = factories.make_user("rita")
    factories.give_role(user, system, Role.REVIEWER)
    return user


@pytest.fixture
def audrey(system: System) -> User:
    """External auditor with an engagement; reads only."""
    user = factories.make_user("audrey")
    factories.let_auditor_in(user, system)
    return user


@pytest.fixture
def mallory(db: Any) -> User:
    """An outsider with an account and no role."""
    return factories.make_user("mallory")


@pytest.fixture
def as_user(client: Client, settings: Any) -> Any:
    """`as_user(alice)` is the browser with alice signed in just now, no MFA."""
    settings.MFA_REQUIRED = False

    def signed_in(user: User) -> Client:
        sign_in_just_now(client, user)
        client.get("/accounts/password/change/")  # renews the session, once a minute
        return client

    return signed_in


@pytest.fixture
def on_day(monkeypatch: pytest.MonkeyPatch) -> Callable[[dt.date], None]:
    """`on_day(day)`: for pages, API and commands it is noon of that day in UTC.

    Roles and what is known stay on the day of `tests.one_day`.
    """

    def set_clock(day: dt.date) -> None:
        noon = dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC)
        monkeypatch.setattr(clock, "now", lambda: noon)

    return set_clock
