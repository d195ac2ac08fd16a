"""R31, R36: who comes back on another day, or asks about one, finds what was said of
the days then; nothing is called false, lost or broken because the calendar went on."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from evidence.findings.responses import decide_response, items_answered, respond
from evidence.status.rows import Moment
from tests import factories
from tests.evidence.findings.hands import DAY, FOUND, SEEN, found, observed
from tests.evidence.findings.test_respond_to_an_item import BODY
from tests.evidence.scenarios.stage import ask_only
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
D = dt.date


@pytest.fixture
def system(oscar):
    baseline = factories.make_baseline(("ac-2", "ac-12", "si-2"), slug="three")
    return factories.make_system(oscar, baseline=baseline)


@pytest.fixture
def asked_later(system):
    """AC-12, of which nothing is asked before March of the year to come."""
    asked = factories.requirement(system, "ac-12")
    asked.operates_from = D(2027, 3, 1)
    asked.save(update_fields=["operates_from"])


def rows_on(system, ref_id: str, kind: str, day: dt.date):
    control = factories.implementation(system, ref_id)
    window = (system.window_start, system.window_end)
    rows = items_answered(system, Moment(day), window, implementations=[control])
    return [row for row in rows if row.item.kind == kind]


@pytest.mark.parametrize(("ref_id", "kind"), [("ac-12", "unasked"), ("si-2", "open")])
def test_r36_a_response_stays_beside_days_that_become_more(
    system, asked_later, oscar, olga, rita, ref_id, kind
):
    window = (system.window_start, system.window_end)
    item = rows_on(system, ref_id, kind, TODAY)[0].item
    assert item.ends == TODAY
    control = factories.implementation(system, ref_id)
    rejected = respond(control, item.key, window, **BODY, by=oscar)
    decide_response(rejected, decision="reject", reason="No cause.", by=rita)
    response = respond(control, item.key, window, **BODY, by=olga)
    with pytest.raises(ValidationError, match="You wrote a response"):
        decide_response(response, decision="accept", by=oscar)
    decide_response(response, decision="accept", by=rita)
    for later in (DAY, 9 * DAY):
        row = rows_on(system, ref_id, kind, TODAY + later)[0]
        assert (row.item.ends, row.accepted) == (TODAY + later, response)


def test_r36_the_page_says_which_days_a_response_was_about(
    system, asked_later, as_user, oscar, rita
):
    (row,) = rows_on(system, "ac-12", "unasked", TODAY)
    window = (system.window_start, system.window_end)
    control = factories.implementation(system, "ac-12")
    response = respond(control, row.item.key, window, **BODY, by=oscar)
    decide_response(response, decision="accept", by=rita)
    page = reverse("evidence:responses", args=[system.slug])
    days = (TODAY - window[0]).days + 1
    told = f"Answered for {days} of {days + 1} days."
    browser = as_user(oscar)
    assert told not in browser.get(page).text
    assert told in browser.get(page, {"on": TODAY + DAY}).text


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_response_is_not_written_of_what_nobody_had_recorded(
    system, as_user, oscar, method
):
    """404 with a sentence and what was typed; it was 500."""
    ask_only(system, "ac-12", "Report", cadence="monthly")
    key = rows_on(system, "ac-12", "missed", TODAY)[0].item.key
    new = reverse("evidence:response_new", args=[system.slug, "ac-12", key])
    body = BODY if method == "post" else None
    answer = getattr(as_user(oscar), method)(f"{new}?known_at=2024-02-29", body)
    assert answer.status_code == 404
    assert "Nothing of this system was recorded by then." in answer.text
    assert method == "get" or BODY["cause"] in answer.text


def test_of_days_before_it_was_seen_nothing_is_said(system, as_user, oscar):
    """A finding was shown as a false positive of the days before it was found."""
    subjects = {
        "finding": (found(system, "ac-12", oscar), FOUND),
        "observation": (observed(system, "ac-12", oscar), SEEN),
    }
    browser = as_user(oscar)
    for name, (subject, first_day) in subjects.items():
        page = reverse(f"evidence:{name}", args=[subject.uuid])
        route = reverse(f"{name}-detail", args=[subject.uuid])
        answer = browser.get(page, {"on": first_day - DAY})
        assert answer.status_code == 404
        assert f"This was seen on {first_day}: of a day before it" in answer.text
        assert browser.get(route, {"on": first_day - DAY}).status_code == 404
        for day in (first_day, TODAY):
            assert browser.get(page, {"on": day}).status_code == 200
            assert browser.get(route, {"on": day}).json()["state"] == "open"
