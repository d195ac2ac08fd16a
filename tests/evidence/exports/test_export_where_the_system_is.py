"""R7: an export without a day is about today, as its system has it."""

from __future__ import annotations

import pytest

from evidence.models import Export
from tests.evidence import two_zones
from tests.evidence.two_zones import DAY_EAST, DAY_WEST

pytestmark = pytest.mark.django_db


def test_the_page_proposes_no_day_and_takes_that_of_the_system(
    oscar, platform, as_user
):
    systems = two_zones.build(oscar, platform)
    browser = as_user(oscar)
    form = browser.get("/exports/").context["form"]
    assert form["on"].value() is None
    for system in systems:
        fields = {"system": system.slug, "on": "", "as_known_then": "on"}
        assert browser.post("/exports/request/", fields).status_code == 302
    days = dict(Export.objects.values_list("system__slug", "on"))
    assert days == {"honolulu": DAY_WEST, "kiritimati": DAY_EAST}
