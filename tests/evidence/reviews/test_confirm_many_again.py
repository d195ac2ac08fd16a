"""R17: what was accepted under other duties is confirmed again from a desk, many at
once: filtered, grouped, with exceptions, seen row by row before anything is written."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from controls.models import AuditEvent
from evidence.models import EvidenceLink
from evidence.reviews.reconfirm import reconfirm
from tests import factories
from tests.evidence.controls.test_act_on_many import token_of, words
from tests.evidence.reviews.test_reconfirm_evidence import (
    PERFORMED,
    SHOWN,
    marked,
    moved,
    person,
    take_rds,
)
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
WHY = {"reason": "The report lists the RDS engines"}
__all__ = ["moved"]


@pytest.fixture
def desk(moved, oscar) -> str:
    """Three acceptances of one control; the duties changed after all of them."""
    first = EvidenceLink.objects.get()
    for title in ("Second", "Third"):
        link = factories.make_evidence(
            first.requirement, by=oscar, performed_on=PERFORMED, title=title
        )
        link.accept(by=person("rita"), day=SHOWN)
    take_rds(moved, oscar)
    return f"/systems/{moved.slug}/confirm-again/"


def confirmations() -> int:
    return AuditEvent.objects.filter(verb="evidence.reconfirmed").count()


def shown(*links: EvidenceLink) -> dict[str, list[str]]:
    return {"shown": [str(link.uuid) for link in links]}


def test_the_desk_says_what_changed_and_who_accepted(moved, desk, as_user):
    browser = as_user(person("raul"))
    work = browser.get("/work/")
    assert desk in work.content.decode()
    assert "confirm 3 acceptances again" in words(work)
    page = words(browser.get(desk))
    assert "SI: System and Information Integrity" in page
    assert "new: platform of Amazon RDS" in page
    assert f"{TODAY} by rita" in page.lower()
    assert "Preview confirming 3 acceptances" in page
    assert "Preview confirming 1 acceptance" in words(browser.get(f"{desk}?q=third"))
    assert "No acceptance matches." in words(browser.get(f"{desk}?q=nowhere"))
    by_ask = browser.get(f"{desk}?group=ask&family=si").context["groups"]
    assert [len(group.rows) for group in by_ask] == [3]


def test_all_shown_but_the_exceptions_are_confirmed_after_a_preview(
    moved, desk, as_user
):
    first, second, third = EvidenceLink.objects.order_by("pk")
    browser = as_user(person("raul"))
    body = shown(first, second, third) | {"left-out": [str(third.uuid)]}
    act = browser.post(f"{desk}?q=", body)["Location"]
    assert "Confirm again 2 acceptances" in words(browser.get(act))
    # an attack on honesty: nobody confirms many without saying why
    assert browser.post(act, {"reason": " "}).status_code == 422
    preview = browser.post(act, WHY)
    assert "Your review says that it proves these duties too" in words(preview)
    assert confirmations() == 0
    sent = {"token": token_of(preview)}
    confirm = f"/systems/{moved.slug}/many/re-confirm/confirm/"
    done = browser.post(confirm, sent, follow=True)
    assert "2 acceptances are confirmed again." in words(done)
    assert "Preview confirming 1 acceptance" in words(done)
    assert browser.post(confirm, sent).status_code == 302  # R18: twice is once
    assert confirmations() == 2
    assert len(marked(moved, TODAY)) == 1
    # R14: what the first reviewer stated of the day stays stated
    assert first.reviews.order_by("pk").last().day_shown_by == "Ticket OPS-1"


def test_what_changed_since_the_preview_is_refused(moved, desk, as_user):
    first, second, _ = EvidenceLink.objects.order_by("pk")
    browser = as_user(person("raul"))
    act = browser.post(desk, shown(first, second))["Location"]
    preview = browser.post(act, WHY)
    reconfirm(first, by=person("rita"))
    confirm = f"/systems/{moved.slug}/many/re-confirm/confirm/"
    late = browser.post(confirm, {"token": token_of(preview)})
    assert late.status_code == 409
    assert confirmations() == 1
    again = words(browser.post(act, WHY))
    assert "Its duties have not changed since its review." in again
    assert "Confirm again 1 acceptance" in again


def test_who_had_a_hand_in_it_confirms_none(moved, desk, oscar, mallory, as_user):
    """R32, AC-02: not by the desk, and not by a choice made of other people's rows."""
    link = EvidenceLink.objects.order_by("pk").first()
    officer = as_user(oscar)  # an officer, and the one who brought it
    assert "Nothing waits to be confirmed again" in words(officer.get(desk))
    assert officer.post(desk, shown(link)).status_code == 400
    assert as_user(person("ray")).get(desk).status_code == 403
    assert as_user(person("ray")).post(desk, shown(link)).status_code == 403
    assert as_user(mallory).post(desk, shown(link)).status_code == 404
    rita = as_user(person("rita"))
    assert rita.post(desk, {"shown": ["no-uuid"]}).status_code == 400
    act = rita.post(desk, shown(link))["Location"]
    assert as_user(person("raul")).get(act).status_code == 409
    # the list of controls lends its keys to acts of controls alone
    many = f"/systems/{moved.slug}/many/"
    assert rita.post(many, {"act": "re-confirm"}).status_code == 404
    assert confirmations() == 0


def test_one_row_or_many_take_the_same_statements(moved, desk, as_user):
    browser = as_user(person("raul"))

    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as log:
            assert browser.get(desk).status_code == 200
        return len(log)

    statements()
    many = statements()
    for link in EvidenceLink.objects.order_by("pk")[:2]:
        reconfirm(link, by=person("rita"))
    assert statements() == many
