"""The same bytes for the same ask and period are shown, and sent on purpose (R14)."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.urls import reverse

from evidence.models import Evidence, EvidenceLink
from tests.evidence import house as houses
from tests.evidence.house import House, file
from tests.evidence.submissions.test_upload_evidence import said

pytestmark = pytest.mark.django_db
REPORT = b"host,missing\n" * 20  # longer than what files have in common by chance


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def url(client, house) -> str:
    client.force_login(house.alice)
    return reverse("evidence:upload", args=["shop", house.requirement().uuid])


def report(**changes) -> dict:
    return said(files=[file("patch.csv", REPORT)]) | changes


def test_a_twin_is_shown_and_sent_only_on_purpose(client, url):
    assert client.post(url, report()).status_code == 302
    earlier = Evidence.objects.get()
    again = client.post(url, report(title="Patches, once more"))
    assert again.status_code == 409
    page = again.content.decode()
    assert "The same file already waits for review" in page
    assert "patch.csv (sha256" in page
    assert "was brought by you for" in page
    assert "today at 09:" in page
    assert reverse("evidence:evidence", args=[earlier.uuid]) in page
    assert "Patches, once more" in page
    assert Evidence.objects.count() == 1
    assert client.post(url, report(again="1")).status_code == 302
    assert Evidence.objects.count() == 2


def test_another_period_and_a_rejected_one_are_no_twins(client, house, url):
    client.post(url, report())
    october = {
        "performed_on": "2026-10-20",
        "period_start": "2026-10-01",
        "period_end": "2026-10-31",
    }
    other_file = [file("october.csv", REPORT + b"more")]
    assert client.post(url, report(files=other_file, **october)).status_code == 302
    EvidenceLink.objects.order_by("pk")[0].reject(by=house.rita, reason="No clock.")
    assert client.post(url, report()).status_code == 302


def test_what_was_accepted_is_named_as_such_and_by_whom(client, house, url):
    client.post(url, report())
    EvidenceLink.objects.get().accept(by=house.rita)
    client.force_login(house.olivia)
    page = client.post(url, report()).content.decode()
    assert "The same file was accepted already" in page
    assert "was brought by Alice for" in page
