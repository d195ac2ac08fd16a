"""An upload may wait as a draft, and names who took the files out of their source."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import EvidenceLink, EvidenceRevision
from evidence.status.control_status import control_statuses, today_of
from evidence.status.gather import Moment
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, file
from tests.factories import implementation

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def send(client, house: House, **changes: object):
    asked = house.requirement()
    said = {
        "title": "Inventory",
        "performed_on": TODAY,
        "period_start": TODAY.replace(day=1),
        "period_end": TODAY,
        "collected_on": TODAY,
        "sensitivity": "internal",
        "files": file("list.csv", b"a,b\n"),
    }
    return client.post(
        f"/systems/shop/requirements/{asked.uuid}/upload/", said | changes
    )


def half(house: House) -> str:
    pk = implementation(house.system, "cm-8").pk
    (found,) = control_statuses(house.system, Moment(today_of(house.system)), pks=[pk])
    return found.status.customer_half


def test_a_draft_proves_nothing_waits_for_nobody_and_is_handed_over(client, house):
    client.force_login(house.alice)
    before = half(house)
    assert send(client, house, draft="1").status_code == 302
    link = EvidenceLink.objects.get()
    assert (link.state, link.submitted_at) == ("draft", None)
    assert half(house) == before
    assert AuditEvent.objects.filter(verb="evidence.drafted").count() == 1
    assert "Your draft of 23 November" in client.get("/work/").content.decode()
    client.force_login(house.rita)
    assert str(link.uuid) not in client.get("/review/").content.decode()
    accepted = client.post(reverse("evidence:accept", args=[link.uuid]))
    assert accepted.status_code == 409

    client.force_login(house.alice)
    step = reverse("evidence:submit_draft", args=[link.uuid])
    assert client.post(step, {"next": "work"}).headers["Location"] == "/work/"
    link.refresh_from_db()
    assert link.state == "submitted"
    assert link.submitted_at is not None
    assert half(house) == "pending"
    assert client.post(step).status_code == 409


@pytest.mark.parametrize(
    ("name", "status"), [("bob", 403), ("rita", 403), ("ray", 403), ("mallory", 404)]
)
def test_others_hand_nothing_over(client, house, name, status):
    client.force_login(house.alice)
    send(client, house, draft="1")
    link = EvidenceLink.objects.get()
    client.force_login(house.people[name])
    step = reverse("evidence:submit_draft", args=[link.uuid])
    assert client.post(step).status_code == status
    link.refresh_from_db()
    assert link.state == "draft"


def test_a_draft_is_dropped_with_a_reason(client, house):
    client.force_login(house.alice)
    send(client, house, draft="1")
    link = EvidenceLink.objects.get()
    client.post(reverse("evidence:withdraw", args=[link.uuid]), {"reason": "Wrong"})
    link.refresh_from_db()
    assert link.state == "withdrawn"


def test_the_collector_is_named_and_may_not_review(client, house):
    client.force_login(house.alice)
    send(client, house, collected_by=house.rita.pk)
    assert EvidenceRevision.objects.get().collected_by == house.rita
    link = EvidenceLink.objects.get()
    client.force_login(house.rita)
    assert str(link.uuid) not in client.get("/review/").content.decode()
    step = reverse("evidence:accept", args=[link.uuid])
    assert client.post(step).status_code == 403
    client.force_login(house.raul)
    assert client.post(step).status_code == 302


def test_a_stranger_is_no_collector(client, house):
    client.force_login(house.alice)
    answer = send(client, house, collected_by=house.mallory.pk)
    assert answer.status_code == 400
    assert not EvidenceLink.objects.exists()


def test_the_api_keeps_and_hands_over_a_draft(client, house):
    client.force_login(house.alice)
    said = {
        "requirement": str(house.requirement().uuid),
        "title": "Inventory",
        "performed_on": TODAY,
        "period_start": TODAY,
        "period_end": TODAY,
        "collected_by": "raul@example.test",
        "draft": "true",
        "files": file("list.csv", b"a,b\n"),
    }
    made = client.post("/api/v1/evidence/", said)
    assert (made.status_code, made.json()["state"]) == (201, "draft")
    path = f"/api/v1/evidence/{made.json()['uuid']}/submit/"
    tag = {"If-Match": made["ETag"]}
    assert client.post(path).status_code == 428
    assert client.post(path, headers=tag).json()["state"] == "submitted"
    assert client.post(path, headers=tag).status_code == 409
    wrong = said | {"collected_by": "nobody@example.test", "files": file("b.csv")}
    answer = client.post("/api/v1/evidence/", wrong)
    assert "collected_by" in answer.json()["errors"]
