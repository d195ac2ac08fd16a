"""Scenario 3: AWS's days, through the verbs and as a program reads them."""

from __future__ import annotations

from typing import Any

import pytest

from controls.models import Role
from evidence.artifacts import register
from evidence.artifacts.letters import decide_letter
from tests import factories
from tests.evidence.scenarios.providers import D, Desk, at, codes, days, end_of

pytestmark = pytest.mark.django_db(transaction=True)
START, END = D(2025, 9, 1), D(2026, 8, 31)
AUTUMN = D(2026, 9, 15)
EVERYWHERE = {"services": ["*"], "regions": ["*"]}


@pytest.fixture
def described(as_owner: Any, settings: Any) -> Any:
    """EC2 over the window; PE-3 is inherited. As the owner role, whose clock moves."""
    settings.MFA_REQUIRED = False
    with as_owner():
        olivia, oscar = factories.make_user("olivia"), factories.make_user("oscar")
        with at(START, 8):
            system = factories.make_system(
                olivia,
                services=["ec2"],
                baseline=factories.make_baseline(("pe-3",), slug="one"),
                used_from=START,
                window_start=START,
                window_end=END,
            )
        factories.give_role(oscar, system, Role.OFFICER)
        yield Desk(system, olivia, oscar)


def reports_to_june(desk: Desk, *, letter_to: Any) -> Any:
    """R1 and R2 with the letter of 30 June, which a second person accepted."""
    with at(D(2025, 11, 17)):
        artifact = desk.series("AWS SOC 2", ["pe-3"])
        first = desk.report(artifact, D(2025, 4, 1), D(2025, 9, 30), **EVERYWHERE)
    with at(D(2025, 11, 18)):
        desk.rely(first)
    with at(D(2026, 5, 18)):
        second = desk.report(artifact, D(2025, 10, 1), D(2026, 3, 31), **EVERYWHERE)
    with at(D(2026, 5, 19)):
        desk.rely(second)
    with at(D(2026, 7, 1)):
        letter = register.add_letter(
            second, issued_on=D(2026, 6, 30), ends=letter_to, by=desk.registrar
        )
    with at(D(2026, 7, 2)):
        decide_letter(letter, desk.system, decision="accept", by=desk.second)
    return artifact


def test_days_audited_asserted_and_open(described, client):
    """R21, R25: 212 / 91 / 62 until the next report is reviewed, then 365 / 0 / 0."""
    artifact = reports_to_june(described, letter_to=D(2026, 6, 30))
    with at(D(2026, 11, 16)):
        third = described.report(artifact, D(2026, 4, 1), D(2026, 9, 30), **EVERYWHERE)
    with at(D(2026, 11, 17)):
        described.rely(third)
    then = end_of(AUTUMN)
    found = described.answer("pe-3", AUTUMN, then)
    assert days(found.period.aws_days) == (212, 91, 0, 62)
    assert found.period.result == "exceptions"
    (why,) = [r for r in found.period.reasons if r.code == "aws_days_open"]
    assert "report to 31 March, letter to 30 June, 62 days open" in why.sentence
    assert (found.status.aws_half, found.status.aws_until) == (
        "lapsed",
        D(2026, 6, 30),
    )
    unread = described.answer("pe-3", D(2026, 11, 16), end_of(D(2026, 11, 16)))
    assert days(unread.period.aws_days) == (212, 91, 0, 62)
    assert "newer_version_unreviewed" in codes(unread.status.reasons)

    found = described.answer("pe-3", D(2026, 11, 17))
    assert days(found.period.aws_days) == (365, 0, 0, 0)
    assert found.period.result == "complete"
    assert (found.status.aws_half, found.status.aws_until) == (
        "proven",
        D(2026, 12, 29),
    )
    body = described.over_the_api(client, "pe-3", AUTUMN, then)
    assert [
        body["period"][f"{kind}_days"]
        for kind in ("audited", "asserted", "awaited", "open")
    ] == [212, 91, 0, 62]
    assert body["period"]["result"] == "exceptions"


def test_a_letter_typed_beyond_its_issue_counts_to_it(described, client):
    """R21: counted to 30 June, flagged."""
    reports_to_june(described, letter_to=D(2026, 7, 31))
    found = described.answer("pe-3", D(2026, 6, 20))
    assert "letter_beyond_issue" in codes(found.status.reasons)
    found = described.answer("pe-3", AUTUMN)
    assert days(found.period.aws_days) == (212, 91, 0, 62)
    body = described.over_the_api(client, "pe-3", AUTUMN)
    assert body["period"]["asserted_days"] == 91


def test_while_the_window_runs_current_days_are_awaited(described):
    """R21: nothing is open before the report's currency ends; then all of it is."""
    with at(D(2025, 11, 17)):
        artifact = described.series("AWS SOC 2", ["pe-3"])
        first = described.report(artifact, D(2025, 4, 1), D(2025, 9, 30), **EVERYWHERE)
    with at(D(2025, 11, 18)):
        described.rely(first)
    last = D(2025, 12, 29)  # 30 September and 90 days
    found = described.answer("pe-3", last, end_of(last))
    assert days(found.period.aws_days) == (30, 0, 90, 0)
    assert found.period.result == "running"
    after = D(2025, 12, 30)
    found = described.answer("pe-3", after, end_of(after))
    assert days(found.period.aws_days) == (30, 0, 0, 91)
    assert found.period.result == "exceptions"
