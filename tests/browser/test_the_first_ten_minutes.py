"""A newcomer: ticks services, sees classes, proves a red half, takes the status."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from controls.models import System
from evidence.exports import jobs
from evidence.models import EvidenceLink, Export, RequirementControl
from tests import factories
from tests.browser.test_read_every_page import obstacles
from tests.one_day import TODAY

STATE = "#our-half .state"


@pytest.fixture
def newcomer(live_server, settings, tmp_path: Path):
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return factories.make_user("nora", is_superuser=True)


def looked_at(page) -> None:
    """Every page of the way is readable, at both widths."""
    assert page.locator("h1").count() == 1
    assert obstacles(page) == [], page.url
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, page.url


def describe_a_system(page) -> System:
    page.goto("/systems/")
    looked_at(page)
    page.click("main a[href='/systems/new/']")
    page.fill("[name=name]", "Till")
    page.select_option("[name=regime]", "fedramp")
    page.select_option("[name=impact_level]", "moderate")
    page.select_option("[name=baseline]", label="FedRAMP MODERATE")
    page.fill("[name=new_team]", "Shop floor")
    for service in ("ec2", "s3", "rds"):
        page.check(f"[name=use_{service}]")
    looked_at(page)
    page.click("text=Add the system")
    page.wait_for_url("**/systems/till/**")
    looked_at(page)
    return System.objects.get(slug="till")


def let_in(system: System) -> tuple[object, object]:
    """An administrator gives two colleagues their roles."""
    asked = RequirementControl.objects.filter(system=system).first()
    assert asked
    team = asked.implementation.owner_team
    alice, rita = factories.make_user("alice"), factories.make_user("rita")
    factories.give_role(alice, system, "contributor", team=team)
    factories.give_role(rita, system, "reviewer")
    return alice, rita


def state_of_the_proof() -> str:
    """What R13 says today of the only link: a month's last ten days are `expiring`."""
    link = EvidenceLink.objects.get()
    assert link.requirement.cadence == "monthly"
    left = (link.proves_to - TODAY).days
    return "expiring" if left < 10 else "proven"


def test_from_services_to_a_proven_half_and_its_status(newcomer, page_of, tmp_path):
    page = page_of(newcomer)
    system = describe_a_system(page)
    page.goto("/systems/till/")
    looked_at(page)
    said = page.inner_text("section[aria-labelledby=burden]")
    counts = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", said)}
    assert counts["inherited"] > 20
    assert counts["shared"] > 20
    assert counts["customer"] > 100

    page.click("section[aria-labelledby=burden] a:has-text('shared')")
    looked_at(page)
    page.click("main table a:has-text('SI-2') >> nth=0")
    looked_at(page)
    assert page.inner_text(STATE) == "missing"
    assert "guest" in page.inner_text("section[aria-labelledby=our-half]").lower()

    alice, rita = let_in(system)
    control = page.url
    page = page_of(alice)
    page.goto(control)
    page.click("section[aria-labelledby=our-half] a.button >> nth=0")
    report = tmp_path / "patches.csv"
    report.write_text("host,missing\nweb-1,0\n")
    page.set_input_files("input[type=file]", str(report))
    looked_at(page)
    page.click("main form[data-upload] button:has-text('Submit for review')")
    page.wait_for_url("**/evidence/**")
    page.click("details.preview-here summary")
    page.wait_for_selector("details.preview-here td:has-text('web-1')")
    looked_at(page)
    page.goto(control)
    assert page.inner_text(STATE) == "pending"

    page = page_of(rita)
    page.goto("/review/")
    page.wait_for_selector(".viewer td:has-text('web-1')")
    looked_at(page)
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.click("[data-verdict]")
    page.goto(control)
    assert page.inner_text(STATE) == state_of_the_proof()

    page = page_of(newcomer)
    page.goto("/systems/till/")
    page.click("main a:has-text('Export')")
    page.click("main form button[type=submit]")
    page.wait_for_selector("#exports .state")
    jobs.make_export(Export.objects.get().pk)
    page.goto("/exports/")
    looked_at(page)
    with page.expect_download() as taken:
        page.click("#exports a:has-text('Download')")
    with Path(taken.value.path()).open(newline="", encoding="utf-8-sig") as file:
        rows = {row["control_id"]: row for row in csv.DictReader(file)}
    assert len(rows) == 323
    assert rows["si-2"]["customer_half"] == state_of_the_proof()
    assert rows["si-2"]["aws_half"] == "missing"
