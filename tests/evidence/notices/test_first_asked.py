"""R11, R31: what is stated today is told once, and late for nothing of before."""

from __future__ import annotations

import datetime as dt

import pytest

from controls import clock
from controls.models import Role, System
from evidence.models import Notice, RequirementControl
from evidence.notices.first_asked import first_due_since
from evidence.notices.gathering import gather_notices
from tests import factories
from tests.factories import set_terms
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db

LATE = ("overdue", "escalated")
DAY = dt.timedelta(days=1)


def described(oscar, team, **days: dt.date) -> System:
    """A system that is described on this day, in the middle of its window of 2026."""
    system = factories.make_system(oscar, slug="midyear", team=team, **days)
    set_terms(
        RequirementControl.objects.filter(system=system).exclude(cadence="per-event"),
        cadence="monthly",
        grace_days=5,
    )
    return system


def kinds(*, days: int = 0) -> list[str]:
    """The kinds of all notices that stand some days from now."""
    gather_notices(clock.now() + DAY * days)
    standing = Notice.objects.filter(ended_at=None)
    return sorted(standing.values_list("kind", flat=True))


@pytest.fixture
def team(db):
    return factories.make_team("Platform")


def test_describing_a_system_today_tells_nobody_of_earlier_days(db, team, settings):
    """R11: unasked days send no notices, to a team without members neither."""
    settings.ESCALATE_AFTER_DAYS = 14
    system = described(factories.make_user("oscar"), team, asked_from=TODAY)
    assert RequirementControl.objects.filter(system=system).count() > 5
    assert kinds() == []


def test_a_first_statement_of_earlier_days_is_one_digest(db, team, settings):
    """R31: asked from January on in November: one for the team, nothing escalated."""
    settings.ESCALATE_AFTER_DAYS = 14
    system = described(factories.make_user("oscar"), team)
    alice = factories.make_user("alice")
    factories.give_role(alice, system, Role.CONTRIBUTOR, team=team)
    assert kinds() == ["asked-first"]
    notice = Notice.objects.get()
    number = RequirementControl.objects.filter(
        system=system, implementation__responsibility__in=["shared", "customer"]
    ).count()
    assert notice.user == alice
    assert notice.sentence == (
        f"{number} requirements in Midyear of Platform fell due before 2026-11-23,"
        " the day on which that was stated."
    )
    assert kinds() == ["asked-first"]  # and once only


def test_a_team_without_members_is_one_digest_for_the_officers(db, team, settings):
    """R31: it made 110 notices of things overdue for long within a minute."""
    settings.ESCALATE_AFTER_DAYS = 14
    oscar = factories.make_user("oscar")
    described(oscar, team)
    assert kinds() == ["asked-first"]
    assert Notice.objects.get().user == oscar


def test_what_falls_due_afterwards_is_late_as_ever(db, team, settings):
    """R31: only what fell due before the statement is spared."""
    settings.ESCALATE_AFTER_DAYS = 14
    system = described(factories.make_user("oscar"), team)
    alice = factories.make_user("alice")
    factories.give_role(alice, system, Role.CONTRIBUTOR, team=team)
    after = kinds(days=20)  # November was due on 5 December
    assert set(after) == {"asked-first", "overdue"}
    assert "escalated" in kinds(days=30)


@pytest.mark.parametrize(
    ("stated", "due"),
    [
        (dt.date(2026, 8, 20), dt.date(2026, 9, 5)),
        (dt.date(2026, 9, 5), dt.date(2026, 9, 5)),
        (dt.date(2026, 9, 6), dt.date(2026, 10, 5)),
    ],
)
def test_the_first_due_day_to_come(stated, due):
    """R31: to the day on which a period may still be answered in time."""
    row = RequirementControl(cadence="monthly", grace_days=5)
    assert first_due_since(row, stated) == due
    once = RequirementControl(cadence="once", grace_days=5)
    assert first_due_since(once, stated) is None
