"""R11, R12: what is asked, and by when, is judged by the day where the system is."""

from __future__ import annotations

import datetime as dt

import pytest

from controls.models import System
from evidence.models import RequirementControl
from tests import factories
from tests.evidence import two_zones
from tests.evidence.two_zones import DAY_EAST, DAY_WEST
from tests.factories import set_terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def zones(oscar, platform) -> tuple[System, System]:
    return two_zones.build(oscar, platform)


def ask_only(system: System, **terms: object) -> None:
    """One thing is asked in the system, and nothing else."""
    asked = factories.requirement(system, "si-2")
    later = DAY_EAST + dt.timedelta(days=800)
    others = RequirementControl.objects.filter(system=system).exclude(pk=asked.pk)
    others.update(operates_from=later)
    set_terms(RequirementControl.objects.filter(pk=asked.pk), **terms)


def test_what_is_shown_per_event_is_listed_from_its_first_day_there(zones, as_user):
    for system in zones:
        ask_only(system, cadence="per-event", operates_from=DAY_EAST)
    rows = as_user(two_zones.person("paula")).get("/work/").context["per_event"]
    assert [row.system.slug for row in rows] == ["kiritimati"]


def test_the_calendar_calls_proof_overdue_once_its_day_has_passed_there(zones, as_user):
    october = dt.date(2026, 10, 1)
    due_on_the_22nd = 22
    for system in zones:
        ask_only(
            system, cadence="monthly", grace_days=due_on_the_22nd, operates_from=october
        )
    context = as_user(two_zones.person("paula")).get("/calendar/").context
    days = {row.day: row.items for row in context["days"]}
    words = {due.system.slug: due.word for due in days[DAY_WEST]}
    assert words == {"honolulu": "Due", "kiritimati": "Overdue"}
