"""AC-05, AC-06, R29: an auditor begins at the engagement, sees what is new and where
the controls stand over the window, and marks them; officers see the same and only read.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.engagements import end_engagement
from controls.models import AuditEvent, Engagement, Role
from evidence.engagements.marks import MarkDraft, mark_control
from evidence.findings.recording import record_finding
from evidence.models import ControlMark
from evidence.requests.requests import RequestDraft, request_evidence
from evidence.status.control_status import control_statuses
from evidence.status.rows import Moment
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, give, person
from tests.evidence.reviews.hands import accepted
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def audit(house: House) -> Engagement:
    """The audit that audrey is let into."""
    return house.system.engagements.get()


def browser_of(reader: Any) -> Client:
    return sign_in_just_now(Client(), reader)


def text_of(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def page(audit: Engagement, view: str = "audit", *parts: str) -> str:
    return reverse(f"evidence:{view}", args=[audit.uuid, *parts])


def mark(browser: Client, audit: Engagement, ref_id: str = "cm-8", **typed: Any) -> Any:
    body = {"state": "in_progress", "version": 0} | typed
    return browser.post(page(audit, "mark", ref_id), body, follow=True)


# --- the first page ------------------------------------------------------------------


def test_an_auditor_begins_at_the_engagement(house, audit) -> None:
    answer = browser_of(house.audrey).get("/", follow=True)
    assert answer.request["PATH_INFO"] == page(audit)
    text = text_of(answer)
    assert "SOC 2 Type II by Firm" in text
    assert f"{audit.window_start} to {audit.window_end} 40 days to go" in text
    assert "4 controls" in text
    assert "Audrey, to 2026-12-23" in text
    assert "At the company Olivia" in text
    assert "0 of 4 controls begun" in text
    assert "Audit" in text.partition("My work")[0]  # in the menu, first
    assert "Findings : none open." in text
    for days_ago in (400, 1):
        record_finding(
            factories.implementation(house.system, "cm-8"),
            title="Doors",
            text="They stood open.",
            source="A walk",
            severity="low",
            found_on=TODAY - dt.timedelta(days=days_ago),
            by=house.audrey,
        )
    assert "Findings : 2 open, 1 overdue." in text_of(
        browser_of(house.audrey).get(page(audit))
    )


def test_no_door_of_the_company_is_offered_to_an_auditor(house, audit) -> None:
    """AC-06: an auditor reviews nothing, and the control page speaks of the company."""
    control = reverse("evidence:control", args=[house.system.slug, "si-2"])
    text = browser_of(house.audrey).get(control).content.decode()
    assert ">Review</a>" not in text
    assert "The company proves" in text
    assert "You prove" not in text and "your half" not in text
    assert ">Review</a>" in browser_of(house.olivia).get(control).content.decode()


def test_who_holds_another_role_as_well_begins_at_the_systems(house) -> None:
    house.people["lea"] = person("lea")
    give(house, "lea", Role.READER)
    answer = browser_of(house.lea).get("/")
    assert answer["Location"] == f"/systems/{house.system.slug}/"


def test_nobody_but_auditors_of_it_and_officers_opens_an_audit(house, audit) -> None:
    other = factories.make_engagement(house.system)
    house.people["ann"] = person("ann")
    give(house, "ann", Role.AUDITOR, engagement=other, ends_at=BEGINS + 9 * DAY)
    for view in ("audit", "audit_controls", "audit_news", "audit_samples"):
        for name in ("ann", "alice", "rita", "ray", "mallory"):
            browser = browser_of(house.people[name])
            assert browser.get(page(audit, view)).status_code == 404, (view, name)
    assert browser_of(house.olivia).get(page(audit)).status_code == 200


def test_an_audit_closes_with_the_engagement(house, audit) -> None:
    hers = browser_of(house.audrey)
    assert hers.get(page(audit)).status_code == 200
    end_engagement(audit, by=house.olivia, now=BEGINS)
    assert hers.get(page(audit)).status_code == 404
    assert mark(hers, audit).status_code == 404
    assert "You audit nothing at the moment." in text_of(hers.get("/audits/"))


def test_what_was_accepted_since_the_last_visit_is_new(house, audit) -> None:
    """A reading of today is no last visit: what is new stays new until the day ends."""
    accepted(houses.submitted(house))
    hers = browser_of(house.audrey)
    for _ in range(2):
        text = text_of(hers.get(page(audit)))
        assert "the first visit" in text
        assert "1 piece of evidence accepted by a reviewer." in text
    with time_machine.travel(BEGINS + DAY, tick=False):
        text = text_of(sign_in_just_now(Client(), house.audrey).get(page(audit)))
    assert "New since 23 November 2026, the last visit" in text
    assert "Nothing was accepted, relied on or answered since." in text


def test_new_evidence_is_listed_with_its_control(house, audit) -> None:
    accepted(houses.submitted(house))
    hers = browser_of(house.audrey)
    text = text_of(hers.get(page(audit)))
    assert "1 piece of evidence accepted by a reviewer." in text
    text = text_of(hers.get(page(audit, "audit_news")))
    assert "CM-8 : Patch report" in text


def test_requests_stand_by_whose_turn_it_is(house, audit) -> None:
    wish = RequestDraft("Change tickets", ["cm-8"], house.team, TODAY + DAY)
    request_evidence(house.system, wish, by=house.audrey)
    with time_machine.travel(BEGINS + 3 * DAY, tick=False):
        text = text_of(sign_in_just_now(Client(), house.audrey).get(page(audit)))
    assert "1 overdue at the company. Change tickets, due 24 November 2026" in text


def test_ac_06_what_an_auditor_opens_is_about_the_engagement_in_the_log(
    house, audit
) -> None:
    answer = browser_of(house.audrey).get(page(audit, "audit_controls"))
    assert answer.wsgi_request.reads_only
    event = AuditEvent.objects.filter(verb="auditor.read").latest("seq")
    assert event.subject_uuid == audit.uuid
    assert page(audit, "audit_controls") in event.body


# --- the table ------------------------------------------------------------------------


def test_the_table_says_both_halves_and_the_result_over_the_window(
    house, audit
) -> None:
    text = text_of(browser_of(house.audrey).get(page(audit, "audit_controls")))
    assert "4 of 4 controls" in text
    assert "CM-8" in text and "PE-3" in text
    assert re.search(r"PE-3 .*?inherited .*?\d+ / \d+ / \d+ / \d+", text)
    assert "exceptions" in text
    assert "expected:" in text


def test_clocks_and_window_survive_every_link_of_the_audit(house, audit) -> None:
    query = (
        "on=2026-10-01&known_at=2026-11-01&window_from=2026-01-01&window_to=2026-06-30"
    )
    hers = browser_of(house.audrey)
    for view in ("audit", "audit_controls"):
        content = hers.get(f"{page(audit, view)}?{query}").content.decode()
        body = content.partition("<main")[2].partition("</main")[0]
        paths = (page(audit), f"/systems/{house.system.slug}/")
        links = re.findall(r'href="([^"#]+)', body)
        about = [link for link in links if link.startswith(paths)]
        assert about
        lost = [
            link
            for link in about
            if "known_at=2026-11-01" not in link
            and not link.endswith(("/requests/new/", page(audit, "audit_controls")))
            and link != page(audit)  # back to today
        ]
        assert not lost


def test_the_window_is_the_engagements_where_none_is_named(house) -> None:
    audit = factories.make_engagement(house.system)
    Engagement.objects.filter(pk=audit.pk).update(
        window_start=TODAY - 90 * DAY, window_end=TODAY - DAY
    )
    house.people["ann"] = person("ann")
    give(house, "ann", Role.AUDITOR, engagement=audit, ends_at=BEGINS + 9 * DAY)
    content = browser_of(house.ann).get(page(audit)).content.decode()
    named = f"window_from={TODAY - 90 * DAY}&amp;window_to={TODAY - DAY}"
    assert f"/systems/{house.system.slug}/?{named}" in content


def test_the_table_is_narrowed_by_control_result_and_mark(house, audit) -> None:
    hers = browser_of(house.audrey)
    mark(hers, audit, "si-2", state="satisfied")
    table = page(audit, "audit_controls")
    for query, count in (
        ("q=pe-3", 1),
        ("mark=satisfied", 1),
        ("mark=not_started", 3),
        ("responsibility=inherited", 1),
        ("result=complete", 0),
    ):
        assert f"{count} of 4 controls" in text_of(hers.get(f"{table}?{query}")), query


def test_the_table_asks_the_same_number_of_statements_for_more_controls(
    house, audit
) -> None:
    hers = browser_of(house.audrey)
    table = page(audit, "audit_controls")
    hers.get(table)
    numbers = []
    for query in ("q=cm-8", ""):
        with CaptureQueriesContext(connection) as asked:
            hers.get(f"{table}?{query}")
        numbers.append(len(asked))
    assert abs(numbers[0] - numbers[1]) <= 1  # words are looked up by one


# --- marks ----------------------------------------------------------------------------


def test_a_mark_keeps_reference_note_and_method_with_its_history(house, audit) -> None:
    hers = browser_of(house.audrey)
    mark(hers, audit, methods=["examine", "test"], reference="WP-7", note="Looked.")
    answer = mark(hers, audit, state="satisfied", reference="WP-7", version=1)
    text = text_of(answer)
    assert "CM-8 is marked: satisfied." in text
    assert re.search(
        r"Audrey Satisfied – WP-7 – .*Audrey In progress Examine, test", text
    )
    stored = ControlMark.objects.get()
    assert (stored.state, stored.version, stored.methods) == ("satisfied", 2, [])
    with connection.cursor() as cursor:
        cursor.execute("SELECT state, note FROM evidence_controlmark_history")
        assert cursor.fetchall() == [("in_progress", "Looked.")]
    events = AuditEvent.objects.filter(verb="control.marked")
    assert events.count() == 2
    assert events[0].chain == str(house.system.uuid)


def test_several_marks_are_saved_at_once_and_only_what_was_changed(
    house, audit
) -> None:
    hers = browser_of(house.audrey)
    body = {
        "state-cm-8": "satisfied", "seen-cm-8": "not_started:0",
        "state-si-2": "in_progress", "seen-si-2": "not_started:0",
        "state-pe-3": "not_started", "seen-pe-3": "not_started:0",
    }  # fmt: skip
    answer = hers.post(page(audit, "marks_save") + "?q=a", body, follow=True)
    assert "2 marks are saved." in text_of(answer)
    assert answer.request["QUERY_STRING"] == "q=a"
    assert ControlMark.objects.count() == 2
    text = text_of(hers.get(page(audit)))
    assert "2 of 4 controls begun" in text
    answer = hers.post(page(audit, "marks_save"), {}, follow=True)
    assert "No mark was changed, so nothing was saved." in text_of(answer)


def test_who_marked_in_between_is_not_overwritten(house, audit) -> None:
    house.people["ann"] = person("ann")
    give(house, "ann", Role.AUDITOR, engagement=audit, ends_at=BEGINS + 9 * DAY)
    mark(browser_of(house.ann), audit, state="satisfied")
    hers = browser_of(house.audrey)
    answer = mark(hers, audit, note="Mine.")
    assert answer.status_code == 409
    assert "Somebody else has marked these since you opened the page: CM-8." in text_of(
        answer
    )
    body = {
        "state-cm-8": "other_than_satisfied", "seen-cm-8": "not_started:0",
        "state-si-2": "in_progress", "seen-si-2": "not_started:0",
    }  # fmt: skip
    answer = hers.post(page(audit, "marks_save"), body)
    assert answer.status_code == 409
    assert list(ControlMark.objects.values_list("state", flat=True)) == ["satisfied"]


@pytest.mark.parametrize("name", ["olivia", "alice", "rita", "ray", "mallory"])
def test_nobody_but_the_auditors_of_the_engagement_marks(house, audit, name) -> None:
    wanted = 403 if name == "olivia" else 404
    browser = browser_of(house.people[name])
    assert mark(browser, audit).status_code == wanted
    body = {"state-cm-8": "satisfied", "seen-cm-8": "not_started:0"}
    assert browser.post(page(audit, "marks_save"), body).status_code == wanted
    assert not ControlMark.objects.exists()


def test_an_officer_sees_what_the_auditors_see_and_only_reads(house, audit) -> None:
    mark(browser_of(house.audrey), audit, note="Not all.", state="other_than_satisfied")
    his = browser_of(house.olivia)
    for view, parts in (("audit", ()), ("audit_controls", ()), ("mark", ("cm-8",))):
        answer = his.get(page(audit, view, *parts))
        text = text_of(answer)
        assert "This is what the auditors of this engagement see." in text
        main = answer.content.decode().partition("<main")[2]
        assert 'method="post"' not in main
        assert "other than satisfied" in text.lower()
    assert "Not all." in text


def test_r29_a_mark_changes_no_verdict(house, audit) -> None:
    def verdicts() -> list[str]:
        answers = control_statuses(house.system, Moment(TODAY))
        return [answer.status.verdict for answer in answers]

    before = verdicts()
    mark(browser_of(house.audrey), audit, state="other_than_satisfied")
    mark(browser_of(house.audrey), audit, "si-2", state="satisfied")
    assert ControlMark.objects.count() == 2
    assert verdicts() == before


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"state": "fine"}, "“State” offers no such choice"),
        ({"methods": ["guess"]}, "“How you looked at it” offers no such choice"),
        ({"reference": "x" * 61}, "“Your reference” may have at most 60 characters"),
        ({"note": "x" * 2001}, "“Note” may have at most 2000 characters"),
    ],
)
def test_a_mark_that_cannot_be_is_refused_and_kept(
    house, audit, typed, sentence
) -> None:
    answer = mark(browser_of(house.audrey), audit, **typed)
    assert answer.status_code == 422
    assert sentence in text_of(answer).replace("2,000", "2000")
    assert not ControlMark.objects.exists()


def test_the_database_keeps_one_mark_of_known_states(house, audit) -> None:
    control = factories.implementation(house.system, "cm-8")
    draft = MarkDraft("satisfied")
    saved = mark_control(audit, control, draft, by=house.audrey, now=BEGINS)
    with pytest.raises(IntegrityError), transaction.atomic():
        ControlMark.objects.filter(pk=saved.pk).update(state="proven")
    saved.pk, saved.uuid = None, audit.uuid
    with pytest.raises(IntegrityError), transaction.atomic():
        saved.save(force_insert=True)
