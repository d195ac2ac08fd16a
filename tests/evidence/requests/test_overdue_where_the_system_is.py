"""R12: a request is overdue once its due day has passed where its system is."""

from __future__ import annotations

import pytest

from controls.models import System
from evidence.models import EvidenceRequest
from evidence.requests.requests import RequestDraft, request_evidence
from tests.evidence import two_zones
from tests.evidence.two_zones import DAY_EAST, DAY_WEST

pytestmark = pytest.mark.django_db


@pytest.fixture
def zones(oscar, platform) -> tuple[System, System]:
    """One request in each system, due on the day that has passed in one of them."""
    west, east = two_zones.build(oscar, platform)
    for system in (west, east):
        draft = RequestDraft("Tickets", ["si-2"], platform, DAY_EAST)
        request_evidence(system, draft, by=oscar)
    EvidenceRequest.objects.update(due_on=DAY_WEST)
    return west, east


def test_the_list_narrows_to_what_is_overdue_there(zones, oscar, as_user):
    page = as_user(oscar).get("/requests/?state=overdue").context["page"]
    assert [row.system.slug for row in page] == ["kiritimati"]


def test_the_api_narrows_to_the_same(zones, oscar, as_user):
    rows = as_user(oscar).get("/api/v1/requests/?state=overdue").json()["results"]
    assert [row["system"] for row in rows] == ["kiritimati"]


def test_the_calendar_of_both_says_so_of_the_one_and_marks_both_days(
    zones, oscar, as_user
):
    context = as_user(oscar).get("/calendar/").context
    asked = [due for day in context["days"] for due in day.items]
    words = {due.system.slug: due.word for due in asked if due.kind == "Request"}
    assert words == {"honolulu": "Open", "kiritimati": "Overdue"}
    assert list(context["todays"]) == [DAY_WEST, DAY_EAST]
