"""Two systems at 2026-11-23 09:00 UTC: in Honolulu it is the 22nd, in Kiritimati the
23rd, and there it is nearly the 24th."""

from __future__ import annotations

import datetime as dt

from controls.models import Role, System, Team, User
from tests import factories

DAY_WEST = dt.date(2026, 11, 22)
DAY_EAST = dt.date(2026, 11, 23)


def build(officer: User, team: Team, **fields: object) -> tuple[System, System]:
    """Honolulu and Kiritimati; paula contributes to both and rita reviews both."""
    west = factories.make_system(
        officer, slug="honolulu", team=team, time_zone="Pacific/Honolulu", **fields
    )
    east = factories.make_system(
        officer, slug="kiritimati", team=team, time_zone="Pacific/Kiritimati", **fields
    )
    paula, rita = factories.make_user("paula"), factories.make_user("rita")
    for system in (west, east):
        factories.give_role(paula, system, Role.CONTRIBUTOR, team=team)
        factories.give_role(rita, system, Role.REVIEWER)
    return west, east


def person(name: str) -> User:
    """Somebody of the two systems."""
    return User.objects.get(email=f"{name}@example.com")
