"""R32: an officer asks to close the window of an audit, one of its auditors closes
it; nobody does both, and a closed window stays closed.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from controls.engagements import end_engagement
from controls.models import AuditEvent, Engagement, Role
from evidence.exports.closing import (
    confirm_closing,
    request_closing,
)
from evidence.models import Export, WindowClosing
from tests import factories
from tests.evidence import house as houses
from tests.evidence.house import House, give, person
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    built.people["ann"] = person("ann")
    return built


@pytest.fixture
def audit(house: House) -> Engagement:
    """An audit whose window is over, and into which ann is let in."""
    engagement = factories.make_engagement(house.system)
    Engagement.objects.filter(pk=engagement.pk).update(
        window_start=TODAY - 200 * DAY, window_end=TODAY - DAY
    )
    engagement.refresh_from_db()
    end = BEGINS + 20 * DAY
    give(house, "ann", Role.AUDITOR, engagement=engagement, ends_at=end)
    return engagement


@pytest.fixture
def closing(house: House, audit: Engagement) -> WindowClosing:
    return request_closing(audit, note="All is in.", by=house.olivia, now=BEGINS)


@pytest.fixture
def closed(house: House, closing: WindowClosing) -> WindowClosing:
    confirm_closing(closing, by=house.ann, now=BEGINS)
    closing.refresh_from_db()
    return closing


def browser_of(house: House, name: str) -> Client:
    client = Client(raise_request_exception=False)
    return sign_in_just_now(client, house.people[name])


def door(audit: Engagement, view: str, *parts: str) -> str:
    return reverse(f"evidence:{view}", args=[audit.uuid, *parts])


def text_of(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def verbs() -> list[str]:
    mine = AuditEvent.objects.filter(verb__startswith="closing.")
    return list(mine.order_by("at", "seq").values_list("verb", flat=True))


# --- two persons ---------------------------------------------------------------------


def test_an_officer_asks_and_an_auditor_closes(house, audit) -> None:
    officer, auditor = browser_of(house, "olivia"), browser_of(house, "ann")
    page = door(audit, "closing")
    assert "Nobody has asked to close it" in text_of(auditor.get(page))
    asked = officer.post(
        door(audit, "closing_request"), {"note": "All is in."}, follow=True
    )
    assert "Waits for an auditor" in text_of(asked)
    shown = text_of(auditor.get(page))
    assert "Asked by Olivia" in shown
    assert "All is in." in shown
    decided = auditor.post(
        door(audit, "closing_decide"), {"decision": "confirm", "version": 1},
        follow=True,
    )  # fmt: skip
    assert "The window is closed" in text_of(decided)
    stored = WindowClosing.objects.get()
    assert (stored.state, stored.requested_by, stored.decided_by) == (
        "closed", house.olivia, house.ann,
    )  # fmt: skip
    assert verbs() == ["closing.requested", "closing.confirmed"]
    assert f"closed {TODAY}" in text_of(auditor.get(door(audit, "audit")))


def test_an_officer_closes_nothing_alone(house, audit, closing) -> None:
    typed = {"decision": "confirm", "version": 1}
    page = door(audit, "closing_decide")
    assert browser_of(house, "olivia").post(page, typed).status_code == 403
    where = f'<a href="{door(audit, "closing")}">The window of'
    for name, waits in (("ann", True), ("olivia", False), ("audrey", False)):
        work = browser_of(house, name).get(reverse("evidence:work")).content.decode()
        assert (where in work) is waits, name
    for name in ("alice", "rita", "ray", "audrey", "mallory"):
        answer = browser_of(house, name).post(page, typed)
        assert answer.status_code == 404, name
    closing.refresh_from_db()
    assert closing.state == "requested"
    rows = WindowClosing.objects.filter(pk=closing.pk)
    for who in (house.olivia, house.rita, house.audrey):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(state="closed", decided_by=who, closed_at=BEGINS)


def test_an_auditor_asks_for_nothing(house, audit) -> None:
    answer = browser_of(house, "ann").post(door(audit, "closing_request"), {})
    assert answer.status_code == 403
    assert not WindowClosing.objects.exists()


def test_a_window_that_runs_is_not_closed(house) -> None:
    running = house.system.engagements.get(memberships__user=house.audrey)
    answer = browser_of(house, "olivia").post(
        door(running, "closing_request"), {}, follow=True
    )
    assert f"The window runs to {running.window_end}" in text_of(answer)
    assert not WindowClosing.objects.exists()


def test_an_auditor_leaves_it_open_and_says_why(house, audit, closing) -> None:
    auditor = browser_of(house, "ann")
    typed = {"decision": "refuse", "version": 1}
    answer = auditor.post(door(audit, "closing_decide"), typed)
    assert "Say what is lacking" in text_of(answer)
    auditor.post(
        door(audit, "closing_decide"), typed | {"reason": "Two tickets are missing."}
    )
    page = text_of(browser_of(house, "olivia").get(door(audit, "closing")))
    assert "Two tickets are missing." in page
    assert not Export.objects.exists()
    request_closing(audit, by=house.olivia, now=BEGINS)
    assert verbs()[-2:] == ["closing.refused", "closing.requested"]


def test_who_saw_an_older_request_closes_nothing(house, audit, closing) -> None:
    WindowClosing.objects.filter(pk=closing.pk).update(version=2)
    typed = {"decision": "confirm", "version": 1}
    browser_of(house, "ann").post(door(audit, "closing_decide"), typed)
    closing.refresh_from_db()
    assert closing.state == "requested"


def test_a_request_is_taken_back(house, audit, closing) -> None:
    officer = browser_of(house, "olivia")
    officer.post(door(audit, "closing_withdraw"), {"version": 1})
    closing.refresh_from_db()
    assert closing.state == "withdrawn"
    typed = {"decision": "confirm", "version": 2}
    browser_of(house, "ann").post(door(audit, "closing_decide"), typed)
    closing.refresh_from_db()
    assert closing.state == "withdrawn"


def test_a_closed_window_stays_closed(house, audit, closed) -> None:
    officer = browser_of(house, "olivia")
    again = officer.post(door(audit, "closing_request"), {}, follow=True)
    assert "closed already" in text_of(again)
    rows = WindowClosing.objects.filter(pk=closed.pk)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.update(state="withdrawn", closed_at=None)


# --- over the API --------------------------------------------------------------------


def test_over_the_api(house, audit) -> None:
    officer, auditor = browser_of(house, "olivia"), browser_of(house, "ann")
    made = officer.post(
        "/api/v1/closings/", {"engagement": str(audit.uuid)}, "application/json"
    )
    assert made.status_code == 201, made.content
    page = f"/api/v1/closings/{made.json()['uuid']}/"
    confirm = page + "confirm/"
    assert auditor.post(confirm).status_code == 428
    assert auditor.post(confirm, headers={"If-Match": '"other"'}).status_code == 412
    tag = auditor.get(page)["ETag"]
    assert officer.post(confirm, headers={"If-Match": tag}).status_code == 403
    answer = auditor.post(confirm, headers={"If-Match": tag})
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert shown["state"] == "closed"
    assert {row["kind"] for row in shown["exports"]} == {
        "status-csv", "status-xlsx", "status-pdf",
    }  # fmt: skip
    listed = browser_of(house, "alice").get("/api/v1/closings/").json()["results"]
    assert listed == []


# --- past the pages, as the application role -----------------------------------------

ASKED = """
INSERT INTO evidence_windowclosing (system_id, engagement_id, requested_by_id, uuid,
  state, note, reason, requested_at, version)
VALUES (%s, %s, %s, gen_random_uuid(), %s, '', '', now(), 1)
"""
REFUSED = "an officer asks to close the window of a running engagement"


def written(audit: Engagement, who: Any, state: str = "requested") -> None:
    """A closing by bare SQL."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ASKED, [audit.system_id, audit.pk, who.pk, state])


def test_r32_the_database_has_an_officer_ask(house, audit) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        assert cursor.fetchone()[0] == settings.APP_DATABASE_USER
    for name in ("ann", "audrey", "alice", "rita", "ray", "mallory"):
        with pytest.raises(IntegrityError, match=REFUSED):
            written(audit, house.people[name])
    for state in ("closed", "refused", "withdrawn"):
        with pytest.raises(IntegrityError):
            written(audit, house.olivia, state)
    bank = factories.make_system(
        house.mallory, slug="bank", baseline=house.system.baseline, services=("s3",)
    )
    with pytest.raises(IntegrityError, match=REFUSED):
        written(audit, house.mallory)  # an officer of another system
    other = factories.make_engagement(bank)
    with pytest.raises(IntegrityError, match=REFUSED):
        written(other, house.olivia)
    written(audit, house.olivia)
    with pytest.raises(IntegrityError, match=REFUSED), transaction.atomic():
        WindowClosing.objects.update(requested_by=house.rita)
    WindowClosing.objects.update(state="withdrawn")
    end_engagement(audit, by=house.olivia, now=BEGINS)
    with pytest.raises(IntegrityError, match=REFUSED):
        written(audit, house.olivia)


def test_r32_the_database_has_an_auditor_decide(house, audit, closing) -> None:
    refused = "only auditors of this running engagement write here"
    rows = WindowClosing.objects.filter(pk=closing.pk)
    for name in ("audrey", "alice", "rita", "mallory"):
        decided = {"decided_by": house.people[name], "decided_at": BEGINS}
        with pytest.raises(IntegrityError, match=refused), transaction.atomic():
            rows.update(state="closed", closed_at=BEGINS, **decided)
    end_engagement(audit, by=house.olivia, now=BEGINS)
    with pytest.raises(IntegrityError, match=refused), transaction.atomic():
        rows.update(
            state="closed", closed_at=BEGINS, decided_by=house.ann, decided_at=BEGINS
        )
