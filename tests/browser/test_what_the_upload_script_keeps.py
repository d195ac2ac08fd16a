"""With the upload script a contributor gets what the plain form gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from evidence.models import EvidenceLink, LinkState
from tests.browser.test_upload_in_the_browser import DROP
from tests.evidence import house as houses


@pytest.fixture
def house(live_server, settings, tmp_path: Path) -> houses.House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def form(page_of, house):
    """Alice's window with the upload form and a file in it."""
    window = page_of(house.alice)
    window.goto(f"/systems/shop/requirements/{house.requirement().uuid}/upload/")
    window.evaluate(DROP, ["report.csv", "user,state\nada,active\n"])
    return window


def test_keeping_a_draft_does_not_hand_it_over(form):
    form.click("text=Keep as a draft")
    form.wait_for_url("**/evidence/**")
    assert EvidenceLink.objects.get().state == LinkState.DRAFT
    assert "is kept as a draft." in form.inner_text("body")


def test_the_page_after_an_upload_says_that_it_was_submitted(form):
    form.click("text=Submit for review")
    form.wait_for_url("**/evidence/**")
    assert EvidenceLink.objects.get().state == LinkState.SUBMITTED
    assert "was submitted. Somebody else reviews it now." in form.inner_text("body")
    found = Axe().run(form)
    assert found.violations_count == 0, found.generate_report()


def test_a_file_dropped_beside_the_area_is_taken_and_the_page_stays(form):
    form.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["two"], "two.txt"));
          const said = {dataTransfer: data, bubbles: true, cancelable: true};
          const dropped = new DragEvent("drop", said);
          document.querySelector("h1").dispatchEvent(dropped);
          return dropped.defaultPrevented;
        }"""
    )
    form.wait_for_function("document.querySelectorAll('.files li').length === 2")
