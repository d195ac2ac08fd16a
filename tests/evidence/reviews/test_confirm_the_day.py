"""R14, R12: of what was recorded after its due day, reviewers are asked for its day.

The bytes arrive by the clock of the database, long after the days of the story.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from django.db import connection
from django.db.utils import IntegrityError
from django.test.utils import CaptureQueriesContext

from controls.api.conventions import etag
from controls.models import AuditEvent, System
from evidence.models import EvidenceLink, RequirementControl, Review
from evidence.reviews.late_recording import late_recordings
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests import factories
from tests.factories import set_terms

pytestmark = pytest.mark.django_db

PERFORMED = dt.date(2026, 8, 31)
DUE = dt.date(2026, 9, 5)
YES = {"day_confirmed": "yes", "day_shown_by": "Ticket OPS-77"}
QUESTION = "Does the evidence itself show the day it was performed?"


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)


@pytest.fixture
def asked(system: System) -> RequirementControl:
    """What is asked for SI-2: monthly, five days of grace."""
    row = factories.requirement(system, "si-2")
    set_terms(
        RequirementControl.objects.filter(pk=row.pk),
        cadence="monthly",
        grace_days=5,
        title="Patch report",
    )
    return factories.requirement(system, "si-2")


def brought(asked, alice, performed_on: dt.date = PERFORMED, title="Patches"):
    """Evidence performed on a day, about that month, uploaded when the test runs."""
    today = max(performed_on, dt.date(2026, 10, 20))
    link = factories.make_evidence(
        asked, by=alice, performed_on=performed_on, title=title, today=today
    )
    return EvidenceLink.objects.for_listing().get(pk=link.pk)


def recorded_days(link: EvidenceLink) -> int:
    return (link.system.day_of(link.revision.uploaded_at) - DUE).days


def test_the_queue_asks_and_says_in_numbers_what_follows(as_user, alice, rita, asked):
    """R14: the page says before the click what either answer counts as."""
    link = brought(asked, alice)
    page = as_user(rita).get("/review/").content.decode()
    assert QUESTION in page
    days = recorded_days(link)
    assert f"It was due on {DUE}" in page
    assert f"marked “recorded {days} days after its due day”" in page
    assert f"counts as late by {days} days" in page.replace("\n", " ")


def test_my_work_leads_to_the_page_that_asks(as_user, alice, rita, asked):
    """R14: from the reviewer's own page to the question is one step."""
    link = brought(asked, alice)
    desk = f"/review/?item={link.revision.uuid}"
    browser = as_user(rita)
    assert desk in browser.get("/work/").content.decode()
    assert QUESTION in browser.get(desk).content.decode()
    assert QUESTION in browser.get("/review/several/").content.decode()


def test_a_yes_is_kept_with_where(as_user, alice, rita, asked):
    """R14: the reviewer confirms that the evidence itself shows the day."""
    link = brought(asked, alice)
    answer = as_user(rita).post(f"/review/{link.uuid}/accept/", YES)
    assert answer.status_code == 302
    review = Review.objects.get(link=link)
    assert (review.day_confirmed, review.day_shown_by) == (True, "Ticket OPS-77")
    event = AuditEvent.objects.get(verb="evidence.accepted")
    assert json.loads(event.body)["day_shown_by"] == "Ticket OPS-77"
    page = as_user(rita).get(f"/evidence/{link.revision.evidence.uuid}/")
    assert "The evidence itself shows the day: Ticket OPS-77" in page.content.decode()


def test_a_no_accepts_it_and_confirms_nothing(as_user, alice, rita, asked):
    """R14: without a yes it may still be accepted."""
    link = brought(asked, alice)
    said = {"day_confirmed": "no", "day_shown_by": "typed, then thought better of"}
    assert as_user(rita).post(f"/review/{link.uuid}/accept/", said).status_code == 302
    review = Review.objects.get(link=link)
    assert (review.day_confirmed, review.day_shown_by) == (False, "")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, "Say whether the evidence itself shows the day it was performed."),
        ({"day_confirmed": "yes", "day_shown_by": " "}, "Say where the evidence shows"),
    ],
)
def test_the_page_wants_an_answer(as_user, alice, rita, asked, said, why):
    """R14: neither unanswered nor confirmed without where; nothing typed is lost."""
    link = brought(asked, alice)
    answer = as_user(rita).post(
        f"/review/{link.uuid}/accept/", said | {"reason": "Complete"}
    )
    page = answer.content.decode()
    assert (answer.status_code, why in page) == (400, True)
    assert "Complete</textarea>" in page
    assert EvidenceLink.objects.get(pk=link.pk).state == "submitted"


def test_a_rejection_needs_no_answer(as_user, alice, rita, asked):
    """R14: only what is accepted counts on a day."""
    link = brought(asked, alice)
    said = {"reason": "No date on it"}
    assert as_user(rita).post(f"/review/{link.uuid}/reject/", said).status_code == 302


@pytest.mark.parametrize("cadence", ["quarterly", "once"])
def test_not_asked_where_nothing_was_due(as_user, alice, rita, asked, cadence):
    """R12, R14: what has no due day, or one to come, is never recorded late."""
    set_terms(
        RequirementControl.objects.filter(pk=asked.pk), cadence=cadence, grace_days=6000
    )
    link = brought(factories.requirement(asked.system, "si-2"), alice)
    assert QUESTION not in as_user(rita).get("/review/").content.decode()
    assert as_user(rita).post(f"/review/{link.uuid}/accept/").status_code == 302


def test_not_asked_of_what_was_performed_late_anyway(as_user, alice, rita, asked):
    """R14: a confirmed day could not make it on time."""
    said = Submission(
        title="August, late",
        performed_on=DUE + dt.timedelta(days=1),
        period_start=dt.date(2026, 8, 1),
        period_end=dt.date(2026, 8, 31),
        collected_on=DUE + dt.timedelta(days=1),
    )
    day = dt.date(2026, 10, 20)
    submit(said, [store("a.txt", [b"late"])], requirement=asked, by=alice, today=day)
    assert QUESTION not in as_user(rita).get("/review/").content.decode()


def test_yearly_is_due_when_the_one_before_ends(alice, rita, asked):
    """R14: yearly is late after the last day that the one before proved."""
    set_terms(RequirementControl.objects.filter(pk=asked.pk), cadence="yearly")
    yearly = factories.requirement(asked.system, "si-2")
    first = brought(yearly, alice, dt.date(2025, 3, 10), "First")
    assert late_recordings([first]) == {}
    first.accept(by=rita)
    second = brought(yearly, alice, dt.date(2026, 3, 12), "Second")
    (recording,) = late_recordings([second]).values()
    assert recording.due_on == dt.date(2026, 3, 15)


def test_the_question_of_many_links_takes_one_statement(alice, rita, asked):
    """However many links, of whatever cadence."""
    set_terms(RequirementControl.objects.filter(pk=asked.pk), cadence="yearly")
    yearly = factories.requirement(asked.system, "si-2")
    links = [brought(yearly, alice, dt.date(2026, 3, n), f"N{n}") for n in range(1, 6)]
    with CaptureQueriesContext(connection) as statements:
        late_recordings(links)
    assert len(statements) == 1


# Many at once


def several(link: EvidenceLink, **day: str) -> dict[str, str]:
    key = str(link.uuid)
    said = {f"decision-{key}": "accept", f"version-{key}": str(link.version)}
    return said | {f"{name}-{key}": value for name, value in day.items()}


def test_bulk_asks_the_late_ones_one_by_one(as_user, alice, rita, asked):
    """R14: those that need an answer are refused with a hint, and all with them."""
    one, two = brought(asked, alice), brought(asked, alice, title="More")
    browser = as_user(rita)
    assert browser.get("/review/several/").content.decode().count(QUESTION) == 2
    answer = browser.post("/review/several/", several(one, **YES) | several(two))
    page = answer.content.decode()
    assert answer.status_code == 409
    assert page.count("Say whether the evidence itself shows the day") == 1
    assert "Ticket OPS-77" in page
    assert not Review.objects.exists()
    said = several(one, **YES) | several(two, day_confirmed="no")
    assert browser.post("/review/several/", said).status_code == 302
    kept = Review.objects.order_by("link").values_list("day_confirmed", "day_shown_by")
    assert list(kept) == [(True, "Ticket OPS-77"), (False, "")]


# The API


def accept(client, who, link, **body):
    client.force_login(who)
    return client.post(
        f"/api/v1/evidence/{link.uuid}/accept/",
        body,
        content_type="application/json",
        headers={"If-Match": etag(link)},
    )


def test_api_takes_both_fields(client, settings, alice, rita, asked):
    """R14: a yes without where is refused; without a yes it is accepted."""
    settings.MFA_REQUIRED = False
    one, two = brought(asked, alice), brought(asked, alice, title="More")
    answer = accept(client, rita, one, day_confirmed=True)
    assert answer.status_code == 400
    assert "Say where the evidence shows the day" in answer.json()["detail"]
    answer = accept(client, rita, one, day_confirmed=True, day_shown_by="Log")
    assert answer.status_code == 200
    assert accept(client, rita, two).status_code == 200
    kept = Review.objects.order_by("link").values_list("day_confirmed", "day_shown_by")
    assert list(kept) == [(True, "Log"), (False, "")]


def test_api_of_many_takes_both_fields(client, settings, alice, rita, asked):
    """R14: the same two fields beside each decision."""
    settings.MFA_REQUIRED = False
    link = brought(asked, alice)
    client.force_login(rita)
    body = {"link": str(link.uuid), "accept": True, "day_confirmed": True}
    post = {"path": "/api/v1/evidence/decide/", "content_type": "application/json"}
    assert client.post(data=[body], **post).status_code == 400
    said = body | {"day_shown_by": "Signature of the lead"}
    assert client.post(data=[said], **post).status_code == 200
    assert Review.objects.get().day_shown_by == "Signature of the lead"


def test_the_database_refuses_a_day_without_where(alice, rita, asked):
    """R14: a constraint, not only the doors."""
    link = brought(asked, alice)
    review = Review.of(link, decision="accept", by=rita, reason="")
    review.day_confirmed = True
    with pytest.raises(IntegrityError, match="review_day_confirmed_says_where"):
        review.save(force_insert=True)
