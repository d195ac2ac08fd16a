"""R17: proof waits to be confirmed anew from the day of the change in its system."""

from __future__ import annotations

import datetime as dt

import pytest

from controls.models import System
from evidence.models import RequirementControl
from evidence.models.confirmed_days import DayConfirmation
from evidence.systems.describe import Use, add_component
from tests import factories
from tests.evidence import two_zones
from tests.evidence.two_zones import DAY_EAST
from tests.factories import set_terms, variant

pytestmark = pytest.mark.django_db
PERFORMED = DAY_EAST - dt.timedelta(days=20)
SHOWN = DayConfirmation(confirmed=True, shown_by="Ticket OPS-1")


@pytest.fixture
def zones(oscar, platform) -> tuple[System, System]:
    """Patching is proven in both systems; RDS comes on the 23rd, which in one is
    tomorrow."""
    west, east = two_zones.build(oscar, platform, services=["s3"])
    for system in (west, east):
        patches = factories.requirement(system, "si-2")
        set_terms(
            RequirementControl.objects.filter(pk=patches.pk),
            cadence="monthly",
            grace_days=5,
            operates_from=PERFORMED.replace(day=1),
        )
        patches.refresh_from_db()
        link = factories.make_evidence(patches, by=oscar, performed_on=PERFORMED)
        link.accept(by=two_zones.person("rita"), day=SHOWN)
        use = Use(variant("rds"), DAY_EAST, regions=["us-east-1"])
        add_component(system, use, by=oscar)
    return west, east


def test_only_where_the_day_of_the_change_has_come(zones, as_user):
    browser = as_user(two_zones.person("rita"))
    rows = browser.get("/api/v1/evidence/to-reconfirm/").json()
    assert [row["since"] for row in rows] == ["2026-11-23"]
    waiting = browser.get("/work/").context["to_reconfirm"]
    assert [(system.slug, number) for system, number in waiting] == [("kiritimati", 1)]
    desk = browser.get("/systems/kiritimati/confirm-again/").context["page"]
    assert [str(row.link.uuid) for row in desk] == [row["link"] for row in rows]
