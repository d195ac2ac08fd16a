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


def test_a_refusal_stands_on_the_page_with_what_was_typed_and_the_file(
    world, page_of
) -> None:
    """What the server says of the file, not what the page says above the form."""
    page = page_of(world.house.people["olivia"])
    report = ArtifactVersion.objects.order_by("pk")[0]
    page.goto(reverse("evidence:report_hold", args=[report.uuid]))
    page.fill("[name=agreement]", "NDA of 12 January 2026")
    page.check("[name=confirmed]")
    lies = {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"no PDF at all"}
    page.locator("input[type=file]").set_input_files([lies])
    page.get_by_role("button", name="Hold it").click()
    summary = page.locator(".error-summary")
    summary.wait_for()
    assert "a.pdf" in summary.inner_text()
    assert page.locator("form .error", has_text="is confidential").count() == 0
    assert page.input_value("[name=agreement]") == "NDA of 12 January 2026"
    assert "a.pdf" in page.locator(".files").inner_text()
