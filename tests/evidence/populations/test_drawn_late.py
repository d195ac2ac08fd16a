"""R14, R16: drawing a population late is late recording; its reviewer is asked."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from controls.models import AuditEvent
from evidence.models import Population, PopulationReview, RequirementControl
from evidence.reviews.late_recording import late_recording_of
from tests.evidence.house import TODAY, House, file
from tests.evidence.per_event import bring, build, made_per_event

pytestmark = pytest.mark.django_db

QUESTION = "Does the evidence itself show the day it was performed?"
THIRD_QUARTER = {"starts": dt.date(2026, 7, 1), "ends": dt.date(2026, 9, 30)}
DUE = dt.date(2026, 10, 10)  # ten days of grace
YES = {"day_confirmed": "yes", "day_shown_by": "Stamp of the export"}


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return build(settings, tmp_path)


@pytest.fixture
def asked(house) -> RequirementControl:
    return made_per_event(house)


def drawn(client, house, asked, **days: dt.date) -> Population:
    client.force_login(house.alice)
    body = f"key,day\nCHG-1,{days['starts']}\n".encode()
    return bring(client, asked, list=file("c.csv", body), **days)


def judged(client, house, population, **said):
    client.force_login(house.rita)
    url = f"/populations/{population.uuid}/judge/"
    return client.post(url, {"decision": "accept"} | said)


def test_the_page_asks_and_says_what_follows(client, house, asked):
    """R16: the third quarter was due on 10 October and is drawn in November."""
    population = drawn(client, house, asked, **THIRD_QUARTER)
    client.force_login(house.rita)
    page = client.get(f"/populations/{population.uuid}/").content.decode()
    days = (TODAY - DUE).days
    assert QUESTION in page
    assert f"recorded {days} days after its due day" in page
    assert judged(client, house, population).status_code == 400
    assert judged(client, house, population, **YES).status_code == 302
    review = PopulationReview.objects.get()
    assert (review.day_confirmed, review.day_shown_by) == (True, "Stamp of the export")
    event = AuditEvent.objects.get(verb="population.accepted")
    assert json.loads(event.body)["day_shown_by"] == "Stamp of the export"
    shown = client.get(f"/populations/{population.uuid}/").content.decode()
    assert "The evidence itself shows the day: Stamp of the export" in shown


def test_a_no_confirms_nothing_and_a_rejection_needs_no_answer(client, house, asked):
    """R14: without a yes it may still be accepted."""
    one = drawn(client, house, asked, **THIRD_QUARTER)
    assert judged(client, house, one, day_confirmed="no").status_code == 302
    two = drawn(client, house, asked, **THIRD_QUARTER)
    said = {"decision": "reject", "reason": "Gaps"}
    assert judged(client, house, two, **said).status_code == 302
    assert not PopulationReview.objects.filter(day_confirmed=True).exists()


def test_not_asked_of_one_that_is_drawn_in_time(client, house, asked):
    """R16: the running quarter is due in January."""
    days = {"starts": dt.date(2026, 10, 1), "ends": TODAY - dt.timedelta(days=1)}
    population = drawn(client, house, asked, **days)
    assert late_recording_of(population) is None
    assert judged(client, house, population).status_code == 302


def test_the_first_quarter_of_several_decides(client, house, asked):
    """R16: one list from January on is late for the first quarter."""
    days = {"starts": dt.date(2026, 1, 1), "ends": dt.date(2026, 9, 30)}
    recording = late_recording_of(drawn(client, house, asked, **days))
    assert recording and recording.due_on == dt.date(2026, 4, 10)


def test_the_api_takes_both_fields(client, house, asked):
    """R14: a yes without where is refused."""
    population = drawn(client, house, asked, **THIRD_QUARTER)
    client.force_login(house.rita)
    post = {
        "path": f"/api/v1/populations/{population.uuid}/accept/",
        "content_type": "application/json",
    }
    refused = client.post(data={"day_confirmed": True}, **post)
    assert refused.status_code == 400
    assert "Say where the evidence shows the day" in refused.json()["detail"]
    said = {"day_confirmed": True, "day_shown_by": "Stamp"}
    assert client.post(data=said, **post).status_code == 200
    assert PopulationReview.objects.get().day_shown_by == "Stamp"
