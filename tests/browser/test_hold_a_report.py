"""The form for one file of a report asks for one file, and takes no other number."""

from __future__ import annotations

import pytest
from django.urls import reverse

from evidence.models import ArtifactVersion
from tests.access import world as worlds


@pytest.fixture
def world(transactional_db, settings, tmp_path):
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return worlds.build()


def test_one_file_is_asked_for(world, page_of) -> None:
    page = page_of(world.house.people["olivia"])
    report = ArtifactVersion.objects.order_by("pk")[0]
    page.goto(reverse("evidence:report_hold", args=[report.uuid]))
    zone = page.locator(".dropzone")
    assert "Drop the file here." in zone.inner_text()
    assert page.get_by_role("button", name="Choose a folder").count() == 0
    pdf = {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 x"}
    page.locator("input[type=file]").set_input_files([pdf])
    assert "a.pdf" in page.locator(".files").inner_text()
    assert "Choose one file." not in page.locator("form").last.inner_text()
