"""A reviewer reads and decides at the desk: by keys, by mouse, on a narrow screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from evidence.models import EvidenceLink
from evidence.submissions.revise import attach, newest
from tests.browser.test_read_every_page import obstacles
from tests.evidence import house as houses
from tests.evidence.house import submitted


@pytest.fixture
def house(live_server, settings, tmp_path: Path) -> houses.House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def links(house) -> list[EvidenceLink]:
    """One submission for two controls, and another after it."""
    link = submitted(house, "first to decide")
    other = house.requirement("si-2")
    more = attach(newest(link.revision.evidence), requirement=other, by=house.alice)
    return [link, more, submitted(house, "second to decide")]


def test_all_but_one_by_keys_and_a_reason_offered(house, links, page_of):
    """The button says what it will do; J goes on; the decision is one act."""
    window = page_of(house.rita)
    window.goto("/review/")
    window.wait_for_selector("text=first to decide")
    button = window.locator("[data-verdict]")
    assert button.inner_text() == "Accept 2 controls"
    assert obstacles(window) == []
    window.keyboard.press("j")
    window.wait_for_selector("text=second to decide")
    window.keyboard.press("k")
    window.wait_for_selector("text=first to decide")
    window.uncheck(f"#accept-{links[1].uuid}")
    assert button.inner_text() == "Accept CM-8, reject SI-2"
    window.click("text=A column is missing.")
    typed = window.input_value(f"#reason-{links[1].uuid}")
    assert typed == "A column is missing."
    button.click()
    window.wait_for_selector("text=accepted for CM-8, rejected for SI-2")
    states = [EvidenceLink.objects.get(pk=link.pk).state for link in links]
    assert states == ["accepted", "rejected", "submitted"]


def test_the_keys_can_be_turned_off(house, links, page_of):
    """WCAG 2.1.4: single letters do nothing once they are off, also after a reload."""
    window = page_of(house.rita)
    window.goto("/review/")
    window.click("text=Turn the keys off")
    window.reload()
    window.keyboard.press("r")
    assert window.is_checked(f"#accept-{links[0].uuid}")
    window.click("text=Turn the keys on")
    window.locator("h1").click()
    window.keyboard.press("r")
    assert not window.is_checked(f"#accept-{links[0].uuid}")


def test_a_long_name_widens_nothing(house, page_of):
    """200 letters without a space, on a wide and on a narrow screen."""
    link = submitted(house, "x")
    evidence = link.revision.evidence
    type(evidence).objects.filter(pk=evidence.pk).update(title="x" * 190)
    window = page_of(house.rita)
    for width in (1280, 320):
        window.set_viewport_size({"width": width, "height": 900})
        for path in ("/review/", "/review/several/", "/work/"):
            window.goto(path)
            assert window.evaluate("document.documentElement.scrollWidth") <= width
    window.goto("/review/")
    assert window.locator("[data-verdict]").is_visible()
