"""From My work to a submitted file in three actions; the form says what it counts as.

R14 (the oldest open period first, late is said before it is sent), WCAG 2.4.3.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from evidence.models import Evidence, EvidenceLink
from tests.evidence import house as houses

MAX_TABS = 15  # from the top of the page to its file field
WIDTHS = (1280, 320)
REPORT = {
    "name": "report.csv",
    "mimeType": "text/csv",
    "buffer": b"host,missing\nweb-1,none\n",
}


@pytest.fixture
def house(live_server, settings, tmp_path: Path) -> houses.House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def address(house) -> str:
    return f"/systems/shop/requirements/{house.requirement().uuid}/upload/"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_file_field_is_reached_by_fifteen_tabs(page_of, house, address, width):
    window = page_of(house.alice)
    window.set_viewport_size({"width": width, "height": 900})
    window.goto(address)
    for _ in range(MAX_TABS):
        window.keyboard.press("Tab")
        if window.evaluate("document.activeElement.type") == "file":
            break
    assert window.evaluate("document.activeElement.name") == "files"
    wide = window.evaluate("document.documentElement.scrollWidth")
    assert wide <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_form_is_readable_by_everyone(page_of, house, address, scheme):
    window = page_of(house.alice)
    window.emulate_media(color_scheme=scheme)
    window.goto(address)
    window.set_input_files("#id_files", REPORT)
    window.click("text=Add another ask or control")
    window.fill("#id_q", "si-2")
    window.wait_for_selector("#picked li")
    window.click("details.more summary")
    found = Axe().run(window)
    assert found.violations_count == 0, found.generate_report()


def test_the_day_says_what_it_counts_as_before_it_is_sent(page_of, house, address):
    window = page_of(house.alice)
    window.goto(address)
    window.get_by_label("October 2026", exact=True).check()
    window.fill("#id_performed_on", "2026-11-09")
    window.wait_for_selector(".counts-on_time")
    assert "which was due on 10 November 2026" in window.inner_text("#counts")
    assert "Otherwise it counts from today: late by 13 days" in (
        window.inner_text("#counts")
    )
    window.fill("#id_performed_on", "2026-11-12")
    window.wait_for_selector(".counts-late")
    counted = window.inner_text("#counts")
    assert "Late by 2 days" in counted
    assert "proves 12 November 2026 to 10 December 2026" in counted


def test_three_actions_lead_from_my_work_to_a_submission(page_of, house):
    house.requirement()
    window = page_of(house.alice)
    window.goto("/work/")
    row = window.locator("tr.here", has_text="CM-8").first
    row.locator("summary").click()
    row.locator("input[type=file]").set_input_files(REPORT)
    assert "Late by" in row.locator("[role=status]").inner_text()
    row.locator("form button", has_text="Submit").click()
    window.wait_for_selector("text=was submitted")
    link = EvidenceLink.objects.get()
    assert link.state == "submitted"
    title = Evidence.objects.get().title
    assert title == f"{link.requirement.title}, {link.occurrence:%B %Y}"


def test_a_title_left_alone_follows_the_period(page_of, house, address):
    window = page_of(house.alice)
    window.goto(address)
    window.set_input_files("#id_files", REPORT)
    window.get_by_label("November 2026", exact=True).check()
    window.click("text=Submit for review")
    window.wait_for_url("**/evidence/**")
    assert Evidence.objects.get().title.endswith(", November 2026")


def test_further_asks_are_found_by_search_and_no_page_lists_them_all(
    page_of, house, address
):
    other = house.requirement("si-2")
    window = page_of(house.alice)
    window.goto(address)
    assert window.locator("input[type=checkbox]").count() == 0
    window.click("text=Add another ask or control")
    window.fill("#id_q", "SI-2")
    window.check(f"#pick-{other.pk}")
    window.fill("#id_q", "no such ask")
    window.wait_for_selector("text=Nothing else that you may choose matches")
    assert window.is_checked(f"#pick-{other.pk}")
    window.set_input_files("#id_files", REPORT)
    window.click("text=Submit for review")
    window.wait_for_url("**/evidence/**")
    proven = EvidenceLink.objects.values_list("requirement", flat=True)
    assert set(proven) == {house.requirement().pk, other.pk}


@pytest.mark.parametrize("width", WIDTHS)
def test_without_a_script_the_search_keeps_what_was_typed(
    chromium, live_server, page_of, house, address, width
):
    cookies = page_of(house.alice).context.cookies()
    other = house.requirement("si-2")
    context = chromium.new_context(
        base_url=live_server.url,
        java_script_enabled=False,
        viewport={"width": width, "height": 900},
    )
    context.add_cookies(cookies)
    window = context.new_page()
    window.goto(address)
    window.get_by_label("Other days").check()
    window.fill("#id_period_start", "2026-11-01")
    window.fill("#id_period_end", "2026-11-20")
    window.click("text=Add another ask or control")
    window.fill("#id_q", "si-2")
    window.click("button:text('Search')")
    window.check(f"#pick-{other.pk}")
    assert window.input_value("#id_period_end") == "2026-11-20"
    window.set_input_files("#id_files", REPORT)
    window.click("text=Submit for review")
    assert "/evidence/" in window.url
    assert EvidenceLink.objects.count() == 2
    context.close()


def test_the_same_file_is_shown_before_it_is_sent_again(page_of, house, address):
    report = REPORT | {"buffer": b"host,missing\n" * 20}
    window = page_of(house.alice)
    for then in (".facts", ".warning:focus"):
        window.goto(f"{address}?period=2026-11-01")
        window.set_input_files("#id_files", report)
        window.click("text=Submit for review")
        window.wait_for_selector(then)
    assert "already waits for review" in window.inner_text(".warning")
    assert Evidence.objects.count() == 1
    found = Axe().run(window)
    assert found.violations_count == 0, found.generate_report()
    window.click("text=Submit it a second time")
    window.wait_for_url("**/evidence/**")
    assert Evidence.objects.count() == 2
