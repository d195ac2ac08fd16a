"""Sign-off scenario 10: proof alone is not enough.

Not told here, since the product writes no OSCAL assessment results yet: observations in
them, and no finding until the auditor marks one. Populations stand in a file of their
own.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import openpyxl
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from controls.models import ApplicabilityDecision, System, User
from evidence.models import FailingObservation
from evidence.systems.describe import Use, add_component
from tests import factories
from tests.evidence.scenarios.stage import ask_only, bring, codes, told
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
D = dt.date
OCTOBER = (D(2026, 10, 1), D(2026, 10, 31))
CONTROLS = ("ac-2", "ac-12", "pe-13", "sc-15", "si-2")


@pytest.fixture
def system(oscar: User) -> System:
    """Five controls; EC2, S3 and IAM."""
    baseline = factories.make_baseline(CONTROLS, slug="five")
    return factories.make_system(oscar, baseline=baseline)


@pytest.fixture
def browser(system: System, alice: User, rita: User, oscar: User, as_user: Any) -> Any:
    """The officer's; AC-2 and AC-12 are proven by monthly evidence."""
    for ref_id in ("ac-2", "ac-12"):
        asked = ask_only(system, ref_id, f"Report {ref_id}", cadence="monthly")
        link = bring(asked, about=OCTOBER, performed_on=D(2026, 11, 2), by=alice)
        link.accept(by=rita)
    return as_user(oscar)


def describe(browser: Client, system: System, ref_id: str, **said: Any) -> None:
    """Say over the API how far a control is, from today on."""
    url = reverse("system-control", args=[system.slug, ref_id])
    tag = browser.get(url)["ETag"]
    answer = browser.patch(
        url, said, content_type="application/json", headers={"If-Match": tag}
    )
    assert answer.status_code == 200, answer.content


def test_a_partial_implementation_caps_what_evidence_proves(system, browser):
    """R28: partly, with its reason; implemented, it is proven."""
    before = told(browser, system, "ac-12", TODAY)
    assert (before["responsibility"], before["verdict"]) == ("customer", "proven")
    describe(browser, system, "ac-12", implementation_status="partial")
    partial = told(browser, system, "ac-12", TODAY)
    assert (partial["customer_half"], partial["verdict"]) == ("proven", "partly")
    assert "implementation_partial" in codes(partial)
    describe(browser, system, "ac-12", implementation_status="implemented")
    assert told(browser, system, "ac-12", TODAY)["verdict"] == "proven"


def test_a_control_is_as_far_as_its_worst_part(system, browser):
    """R5, R28: AC-2 with part (j) planned is planned, and not proven."""
    describe(browser, system, "ac-2", part_statuses={"ac-2_smt.j": "planned"})
    answer = told(browser, system, "ac-2", TODAY)
    assert answer["customer_half"] == "proven"
    assert answer["implementation_status"] == "planned"
    assert answer["verdict"] != "proven"
    assert "implementation_partial" in codes(answer)


def test_not_applicable_takes_two_and_a_new_service_undoes_it(
    system, browser, oscar, olga, as_user
):
    """R10: unchanged until another approves, a row in every export, void by a
    component that brings what was not there."""
    before = told(browser, system, "sc-15", TODAY)["verdict"]
    wish = {
        "system": system.slug,
        "control_id": "sc-15",
        "justification": "There is no collaborative computing device.",
        "review_by": str(TODAY + dt.timedelta(days=365)),
    }
    asked = browser.post(reverse("not-applicable-list"), wish, "application/json")
    assert asked.status_code == 201, asked.content
    request = ApplicabilityDecision.objects.get()
    approve = reverse("not-applicable-approve", args=[request.uuid])
    tag = {
        "If-Match": browser.get(reverse("not-applicable-detail", args=[request.uuid]))[
            "ETag"
        ]
    }
    assert told(browser, system, "sc-15", TODAY)["verdict"] == before
    assert browser.post(approve, headers=tag).status_code == 403
    assert as_user(olga).post(approve, headers=tag).status_code == 200
    assert told(browser, system, "sc-15", TODAY)["verdict"] == "not_applicable"
    assert exported(system)["sc-15"]["verdict"] == "not_applicable"
    use = Use(factories.variant("workspaces"), TODAY, regions=["us-east-1"])
    add_component(system, use, by=oscar)
    voided = told(browser, system, "sc-15", TODAY)
    assert voided["verdict"] == "unproven"
    assert "na_basis_changed" in codes(voided)
    assert "sc-15" in exported(system)


def exported(system: System) -> dict[str, dict[str, str]]:
    """The rows of the export of today, by control."""
    out = io.StringIO()
    call_command("control_status", system.slug, format="csv", stdout=out)
    rows = csv.DictReader(io.StringIO(out.getvalue()))
    return {row["control_id"]: row for row in rows}


def test_aws_does_it_is_no_reason(system, browser):
    """R10: refused with the hint that it is inherited."""
    wish = {
        "system": system.slug,
        "control_id": "pe-13",
        "justification": "AWS does it",
        "review_by": str(TODAY + dt.timedelta(days=365)),
    }
    answer = browser.post(reverse("not-applicable-list"), wish, "application/json")
    assert answer.status_code in {400, 409, 422}
    assert "This is inherited" in answer.content.decode()
    assert not ApplicabilityDecision.objects.exists()


def test_a_failing_observation_without_a_disposition(
    system, browser, audrey, oscar, olga, as_user
):
    """R28, R32: partly, `contradicted`; explained and accepted, proven again."""
    page = reverse("evidence:observation_new", args=[system.slug, "ac-12"])
    seen = {"observed_on": TODAY, "source": "Test 4", "text": "No session ended."}
    assert as_user(audrey).post(page, seen).status_code == 302
    browser = as_user(oscar)
    answer = told(browser, system, "ac-12", TODAY)
    assert (answer["customer_half"], answer["verdict"]) == ("proven", "partly")
    assert "contradicted" in codes(answer)
    observation = FailingObservation.objects.get()
    explain = reverse("evidence:observation_dispose", args=[observation.uuid])
    why = {"kind": "explained", "text": "The test account never times out."}
    assert browser.post(explain, why).status_code == 302
    assert told(browser, system, "ac-12", TODAY)["verdict"] == "partly"
    disposition = observation.dispositions.get()
    decide = reverse("evidence:disposition_decide", args=[disposition.uuid])
    accept = {"decision": "accept"}
    assert browser.post(decide, accept).status_code == 403
    assert as_user(olga).post(decide, accept).status_code == 302
    assert told(browser, system, "ac-12", TODAY)["verdict"] == "proven"


def test_an_open_finding(system, browser, alice, rita, oscar, olga, as_user):
    """R28, R36: partly, `open_finding`, until a second person accepts what closes it;
    it stands in the export meanwhile."""
    browser = as_user(oscar)
    body = {
        "system": system.slug,
        "control_id": "ac-12",
        "title": "Sessions never end",
        "severity": "moderate",
        "found_on": str(TODAY),
        "source": "Walk-through",
        "text": "Three of five stayed open.",
    }
    made = browser.post(reverse("finding-list"), body, "application/json")
    assert made.status_code == 201, made.content
    answer = told(browser, system, "ac-12", TODAY)
    assert (answer["customer_half"], answer["verdict"]) == ("proven", "partly")
    assert "open_finding" in codes(answer)
    assert exported(system)["ac-12"]["verdict"] == "partly"
    asked = factories.requirement(system, "ac-12")
    days = (TODAY.replace(day=1), TODAY)
    link = bring(asked, about=days, performed_on=TODAY, by=alice)
    link.accept(by=rita)
    uuid = made.json()["uuid"]
    closure = {"kind": "closure", "text": "Mended.", "link": str(link.uuid)}
    ask = reverse("finding-dispositions", args=[uuid])
    waits = browser.post(ask, closure, "application/json")
    assert waits.status_code == 201, waits.content
    decide = reverse("disposition-decide", args=[waits.json()["uuid"]])
    accept = {"decision": "accept"}
    closed = as_user(olga).post(decide, accept, "application/json")
    assert closed.status_code == 200, closed.content
    assert told(browser, system, "ac-12", TODAY)["verdict"] == "proven"


@pytest.mark.django_db(transaction=True)
def test_the_worksheets_row_of_a_planned_part(system, browser, tmp_path):
    """R5: of AC-2 part (j) is Planned in the CIS worksheet, the others Implemented."""
    describe(browser, system, "ac-2", part_statuses={"ac-2_smt.j": "planned"})
    path = tmp_path / "crm.xlsx"
    call_command("export", system.slug, "fedramp-crm", output=str(path))
    book = openpyxl.load_workbook(path)
    sheet = next(book[name] for name in book.sheetnames if "CIS" in name)
    rows = list(sheet.iter_rows(values_only=True))
    marked = {
        row[0]: {
            name for name, cell in zip(rows[2][1:6], row[1:6], strict=True) if cell
        }
        for row in rows[3:]
        if row[0] and row[0].startswith("AC-2(")
    }
    assert marked.pop("AC-2(j)") == {"Planned"}
    assert len(marked) > 5
    assert all(statuses == {"Implemented"} for statuses in marked.values())
