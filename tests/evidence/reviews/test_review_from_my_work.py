"""A reviewer sees on My work what waits, and goes to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from evidence.models import EvidenceLink
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


def test_reviewer_goes_from_my_work_to_what_waits(client, house):
    """One step from the list to the submission with its files."""
    submitted(client, house, 1)
    client.force_login(house.rita)
    link = EvidenceLink.objects.get()
    desk = f"/review/?item={link.revision.uuid}"
    assert desk in client.get(WORK).content.decode()
    page = client.get(desk).content.decode()
    assert "Report 0" in page
    assert "0.txt" in page
    assert reverse("evidence:decide", args=[link.revision.uuid]) in page


def test_the_oldest_five_are_there_and_the_queue_holds_the_rest(client, house):
    submitted(client, house, 6)
    client.force_login(house.rita)
    page = client.get(WORK).content.decode()
    assert "6 submissions wait" in page
    assert [f">Report {n}<" in page for n in range(6)] == [True] * 5 + [False]


def test_who_reviews_nothing_sees_nothing_to_review(client, house):
    submitted(client, house, 1)
    page = client.get(WORK).content.decode()
    assert "Waiting for my review" not in page
