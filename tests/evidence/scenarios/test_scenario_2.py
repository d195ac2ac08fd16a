"""Sign-off scenario 2: one half is never enough; late proof is not current proof."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.urls import reverse

from controls.models import System, User
from evidence.models import RequirementControl
from tests import factories
from tests.evidence.scenarios.stage import ask_only, bring, codes, told

pytestmark = pytest.mark.django_db
D = dt.date
DAY = D(2026, 11, 23)
SEPTEMBER = (D(2026, 9, 1), D(2026, 9, 30))
OCTOBER = (D(2026, 10, 1), D(2026, 10, 31))


@pytest.fixture
def patches(system: System, oscar: User, rita: User) -> RequirementControl:
    """SI-2 shared; a monthly patch report, and AWS's report that is relied on."""
    artifact = factories.make_artifact(oscar, ["si-2"])
    report = factories.make_report(artifact, D(2025, 10, 1), D(2026, 9, 30))
    factories.rely_on(report, system, by=rita)
    return ask_only(system, "si-2", "Patch report", cadence="monthly", grace_days=10)


@pytest.fixture
def browser(patches: RequirementControl, oscar: User, as_user: Any, on_day: Any) -> Any:
    """Oscar's, on 23 November 2026."""
    on_day(DAY)
    return as_user(oscar)


def halves(answer: dict[str, Any]) -> tuple[str, str, str]:
    return answer["aws_half"], answer["customer_half"], answer["verdict"]


def test_a_nothing_uploaded(system, browser):
    """R13, R28: AWS's half alone."""
    answer = told(browser, system, "si-2", DAY)
    assert answer["responsibility"] == "shared"
    assert halves(answer) == ("proven", "missing", "partly")
    assert {"aws_only", "never_performed"} <= codes(answer)


def test_b_submitted_is_pending(system, browser, patches, alice):
    bring(patches, about=SEPTEMBER, performed_on=D(2026, 10, 2), by=alice)
    answer = told(browser, system, "si-2", DAY)
    assert halves(answer) == ("proven", "pending", "partly")


def test_c_late_proof_is_not_current_proof(system, browser, patches, alice, rita):
    """R13: the reason names October and 13 days, on the page too."""
    link = bring(patches, about=SEPTEMBER, performed_on=D(2026, 10, 2), by=alice)
    link.accept(by=rita)
    answer = told(browser, system, "si-2", DAY)
    assert halves(answer) == ("proven", "lapsed", "partly")
    (reason,) = [row for row in answer["reasons"] if row["code"] == "overdue"]
    assert "October 2026" in reason["subject"]
    page = browser.get(reverse("evidence:control", args=[system.slug, "si-2"]))
    assert "13 days overdue" in page.content.decode()


@pytest.mark.parametrize(
    ("day", "ours", "verdict"),
    [
        (DAY, "proven", "proven"),
        (D(2026, 11, 29), "proven", "proven"),
        (D(2026, 12, 1), "expiring", "proven"),
        (D(2026, 12, 10), "expiring", "proven"),
        (D(2026, 12, 11), "lapsed", "partly"),
    ],
)
def test_d_october_carries_to_10_december(
    system, browser, patches, alice, rita, day, ours, verdict
):
    """R13: to the due day of the period after the one that was performed."""
    for about, performed in ((SEPTEMBER, D(2026, 10, 2)), (OCTOBER, D(2026, 11, 2))):
        link = bring(patches, about=about, performed_on=performed, by=alice)
        link.accept(by=rita)
    aws, half, said = halves(told(browser, system, "si-2", day))
    assert aws in {"proven", "expiring"}
    assert (half, said) == (ours, verdict)
