"""Sign-off scenario 10, implementation status and parts: not proof alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from controls.control_parts import parts_of
from controls.models import Baseline, System, Team, User
from tests import factories
from tests.evidence.scenarios.stage import ask_only, bring, codes, told

pytestmark = pytest.mark.django_db
D = dt.date
DAY = D(2026, 11, 23)
OCTOBER = (D(2026, 10, 1), D(2026, 10, 31))


@pytest.fixture
def baseline(db: Any) -> Baseline:
    """AC-2 and AC-12 of the real catalog."""
    return factories.make_baseline(("ac-2", "ac-12"), slug="two")


@pytest.fixture
def system(oscar: User, platform: Team, baseline: Baseline) -> System:
    """A system of which nobody has said how far its controls are."""
    return factories.make_system(
        oscar, team=platform, baseline=baseline, services=("ec2",), stated=False
    )


@pytest.fixture
def browser(oscar: User, as_user: Any, on_day: Any) -> Any:
    """Oscar's, on 23 November 2026."""
    on_day(DAY)
    return as_user(oscar)


def prove(system: System, ref_id: str, by: User, reviewer: User) -> None:
    asked = ask_only(system, ref_id, "Review", cadence="monthly", grace_days=10)
    link = bring(asked, about=OCTOBER, performed_on=D(2026, 11, 2), by=by)
    link.accept(by=reviewer)


def say(browser: Any, system: System, ref_id: str, **said: Any) -> None:
    url = reverse("system-control", args=[system.slug, ref_id])
    headers = {"If-Match": "*"}
    answer = browser.patch(url, said, "application/json", headers=headers)
    assert answer.status_code == 200, answer.content


def test_evidence_alone_proves_nothing(
    system: System, browser: Any, alice: User, rita: User
) -> None:
    """R28: AC-12 customer, evidence accepted; its status decides."""
    prove(system, "ac-12", alice, rita)
    answer = told(browser, system, "ac-12", DAY)
    assert answer["responsibility"] == "customer"
    assert (answer["customer_half"], answer["verdict"]) == ("proven", "partly")
    assert "not_stated" in codes(answer)

    say(browser, system, "ac-12", implementation_status="partial")
    answer = told(browser, system, "ac-12", DAY)
    assert (answer["implementation_status"], answer["verdict"]) == ("partial", "partly")
    assert "implementation_partial" in codes(answer)

    say(browser, system, "ac-12", implementation_status="implemented")
    answer = told(browser, system, "ac-12", DAY)
    assert answer["verdict"] == "proven"
    assert not codes(answer) & {"implementation_partial", "not_stated"}
    page = browser.get(reverse("evidence:control", args=[system.slug, "ac-12"]))
    assert "How we do it: implemented" in page.content.decode()


def test_a_control_is_as_far_as_its_worst_part(
    system: System, browser: Any, alice: User, rita: User
) -> None:
    """R5: AC-2 with part (j) planned, the others implemented."""
    prove(system, "ac-2", alice, rita)
    control = factories.implementation(system, "ac-2")
    labels = {part.label: part.statement_id for part in parts_of(control.control)}
    part_j = labels["j"]
    say(
        browser,
        system,
        "ac-2",
        implementation_status="implemented",
        part_statuses={part_j: "planned"},
    )
    answer = told(browser, system, "ac-2", DAY)
    assert answer["implementation_status"] == "planned"
    assert answer["verdict"] != "proven"
    assert "implementation_partial" in codes(answer)
    control.refresh_from_db()
    assert control.implementation_status == "implemented"
    assert control.part_statuses == {part_j: "planned"}
    page = browser.get(reverse("evidence:control", args=[system.slug, "ac-2"]))
    text = page.content.decode()
    assert "How we do it: planned" in text
    assert "As a whole: implemented. Parts that differ" in text
    assert "AC-2 j" in text
