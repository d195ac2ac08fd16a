"""An officer's tasks from the home of the admin, each in few clicks, seen before done.

At 1280 px the columns that matter are in sight; no obstacle in either theme.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from controls.models import ApplicabilityDecision
from controls.models import ControlImplementation as Control
from evidence.models import EvidenceRequest, LetterAcceptance, RequirementControl
from tests import factories
from tests.browser.test_read_every_page import obstacles as what_keeps_out
from tests.one_day import TODAY

THEMES = ("light", "dark")


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> None:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False


class Hand:
    """Clicks on a page once it is loaded, and counts; a choice is a click as well."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0

    def click(self, what: str) -> None:
        self.clicks += 1
        self.page.wait_for_load_state()  # a table's ticks listen once its script ran
        self.page.locator(what).first.click()

    def choose(self, field: str, label: str) -> None:
        self.clicks += 1
        self.page.select_option(field, label=label)


@pytest.fixture
def hand(system: Any, oscar: Any, alice: Any, page_of: Any) -> Hand:
    """The officer's, at the home of the admin."""
    oscar.is_staff = True
    oscar.save(update_fields=["is_staff"])
    page = page_of(oscar)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto("/admin/")
    return Hand(page)


def obstacles(page: Page) -> list[str]:
    """All that axe finds, in words."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in found]


def in_sight(page: Page, *columns: str) -> None:
    """These heads of the table lie within the window; the page does not scroll."""
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    for column in columns:
        box = page.locator("thead th", has_text=column).first.bounding_box()
        assert box is not None and box["x"] + box["width"] <= 1280, column


def readable(page: Page) -> None:
    """Without obstacle in both themes."""
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        assert obstacles(page) == [], (theme, page.url)


def test_all_of_a_family_without_owner_go_to_a_team_in_six_clicks(hand, system):
    rows = Control.objects.filter(system=system, control__family="ac")
    Control.objects.filter(system=system).update(owner_team=None)
    page = hand.page
    page.reload()
    readable(page)
    hand.click(".attention a:has-text('Assign owners')")
    in_sight(page, "Control", "Title", "Owner team", "System")
    hand.click("#changelist-filter a:text-is('AC')")
    hand.click("#action-toggle")
    hand.click("button:has-text('Assign an owner')")
    hand.click("main button:has-text('Platform')")
    readable(page)
    in_sight(page, "Control", "Owner now", "Owner then", "Result", "What follows")
    hand.click("main button:has-text('Assign Platform to')")
    page.wait_for_selector("text=Platform owns")
    assert hand.clicks <= 6
    needed = rows.exclude(responsibility__in=["inherited", "none"])
    assert set(needed.values_list("owner_team__name", flat=True)) == {"Platform"}
    assert "family=ac" in page.url
    for theme in THEMES:  # a page of Django's own, held to what keeps somebody out
        page.emulate_media(color_scheme=theme)
        page.reload()  # colours of links fade from theme to theme
        assert what_keeps_out(page) == [], theme


def test_the_status_of_all_that_is_not_stated(hand, system):
    Control.objects.filter(system=system).update(implementation_status="not-stated")
    system.implementations.first().statements.model.objects.all().delete()
    page = hand.page
    hand.click(".tasks a:has-text('State implementation')")
    hand.click("#changelist-filter a:text-is('AC')")
    hand.click("#action-toggle")
    hand.click("button:has-text('State implementation')")
    hand.choose("[name=implementation_status]", "Implemented")
    hand.click("main button:has-text('Preview')")
    hand.click("main button:has-text('State “Implemented” of')")
    page.wait_for_selector("text=“Implemented” is stated of")
    assert hand.clicks <= 7
    assert Control.objects.filter(implementation_status="implemented").exists()


def test_what_a_team_is_asked_monthly_becomes_quarterly(hand, system):
    page = hand.page
    hand.click(".tasks a:has-text('Asks: cadence, team, controls')")
    in_sight(page, "Control", "Title", "Cadence", "Owner team")
    hand.click("#changelist-filter a:text-is('Yearly')")
    hand.click("#action-toggle")
    hand.click("button:has-text('Change how often')")
    hand.choose("[name=cadence]", "Half-yearly")
    hand.click("main button:has-text('Preview')")
    hand.click("main button:has-text('half-yearly')")
    page.wait_for_selector("text=performed half-yearly from today")
    assert hand.clicks <= 7
    assert RequirementControl.objects.filter(cadence="half-yearly").exists()


def test_evidence_of_a_family_is_requested(hand, system):
    page = hand.page
    hand.click(".tasks a:has-text('Request evidence')")
    hand.click("#changelist-filter a:text-is('AC')")
    hand.click("#action-toggle")
    hand.click("button:has-text('Request evidence')")
    page.fill("[name=title_of_request]", "Access reviews of March")
    hand.click("main button:has-text('Preview')")
    hand.click("main button:has-text('Request evidence of')")
    page.wait_for_selector("text=is requested.")
    assert hand.clicks <= 6
    assert EvidenceRequest.objects.get().controls.count() > 1


def test_controls_without_an_object_are_marked(hand, system):
    page = hand.page
    hand.click(".tasks a:has-text('Mark not applicable')")
    hand.click("#changelist-filter a:text-is('AT')")
    hand.click("#action-toggle")
    hand.click("button:has-text('Mark as not applicable')")
    page.fill("[name=justification]", "Nobody works in this system.")
    hand.click("main button:has-text('Preview')")
    page.wait_for_selector(
        "text=Waits for a second officer; until then nothing changes."
    )
    hand.click("main button:has-text('Ask to leave out')")
    page.wait_for_selector("text=for a second officer. Nothing changes until then.")
    assert hand.clicks <= 6
    assert ApplicabilityDecision.objects.get().state == "requested"


def test_citations_are_confirmed_by_somebody_else(hand, system, alice, rita):
    artifact = factories.make_artifact(alice, [], title="SOC 2 of AWS")
    report = factories.make_report(artifact, dt.date(2026, 1, 1), dt.date(2026, 6, 30))
    factories.rely_on(report, system, by=rita)
    control = factories.implementation(system, "pe-3").control
    factories.cite_for(system, artifact, [control], by=alice)
    page = hand.page
    page.reload()
    hand.click(".tasks a:has-text('Confirm citations')")
    hand.click("#action-toggle")
    hand.click("button:has-text('Confirm or reject')")
    hand.click("main button:has-text('Preview')")
    hand.click("main button:has-text('Accept 1 citation')")
    page.wait_for_selector("text=1 citation is accepted.")
    assert hand.clicks <= 5
    assert LetterAcceptance.objects.get().decided_on == TODAY


def test_at_320_px_nothing_lies_beyond_the_edge(hand):
    page = hand.page
    page.set_viewport_size({"width": 320, "height": 800})
    page.goto("/admin/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    readable(page)
