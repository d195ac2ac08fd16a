"""Sign-off scenario 10: proof alone is not enough.

Not told here, since the product has no records of them yet: failing observations,
open findings, the worksheet's row of a part, assessment results in OSCAL. What the pure
rules say of the first two stands in tests/evidence/status/test_scenarios_5_to_10.py;
populations stand in a file of their own.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from controls.models import ApplicabilityDecision, System, User
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
