"""A reviewer decides what waits on My work, and stays there."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from evidence.models import EvidenceLink, LinkState
from tests.evidence import house as houses
from tests.evidence.house import House, file
from tests.evidence.submissions.test_upload_evidence import said

pytestmark = pytest.mark.django_db
WORK = "/work/"


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def submitted(client: Client, house: House, number: int) -> None:
    url = reverse("evidence:upload", args=["shop", house.requirement().uuid])
    client.force_login(house.alice)
    for n in range(number):
        files = [file(f"{n}.txt", str(n).encode())]
        client.post(url, said(title=f"Report {n}", files=files))


@pytest.mark.parametrize(
    ("step", "state"),
    [("accept", LinkState.ACCEPTED), ("reject", LinkState.REJECTED)],
)
def test_reviewer_decides_and_comes_back(client, house, step, state):
    submitted(client, house, 1)
    client.force_login(house.rita)
    link = EvidenceLink.objects.get()
    url = reverse(f"evidence:{step}", args=[link.uuid])
    assert url in client.get(WORK).content.decode()
    given = {"version": link.version, "reason": "Show the date.", "next": "work"}
    answer = client.post(url, given)
    assert (answer.status_code, answer["Location"]) == (302, WORK)
    assert EvidenceLink.objects.get().state == state


def test_the_oldest_five_are_there_and_the_queue_holds_the_rest(client, house):
    submitted(client, house, 6)
    client.force_login(house.rita)
    page = client.get(WORK).content.decode()
    assert "6 submissions wait" in page
    assert [f"Report {n}" in page for n in range(6)] == [True] * 5 + [False]


def test_who_reviews_nothing_sees_nothing_to_review(client, house):
    submitted(client, house, 1)
    page = client.get(WORK).content.decode()
    assert "Waiting for my review" not in page


def test_a_refused_decision_keeps_what_was_typed(client, house):
    submitted(client, house, 2)
    client.force_login(house.rita)
    link = EvidenceLink.objects.order_by("pk").last()
    url = reverse("evidence:reject", args=[link.uuid])
    stale = {"version": link.version + 1, "reason": "Show the <date>."}
    answer = client.post(url, stale)
    assert answer.status_code == 409
    assert answer.content.decode().count("Show the &lt;date&gt;.") == 1
