"""Dashboard and list of systems count results over the audit window (R15, R28)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls import clock
from controls.models import ImplementationStatement
from evidence.models import RequirementControl
from evidence.models.confirmed_days import DayConfirmation
from evidence.status.control_status import control_statuses, moment_of
from evidence.status.window_counts import windows_of_systems
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db

WINDOW = (dt.date(2026, 1, 1), dt.date(2026, 9, 30))


@pytest.fixture
def over(system, oscar, olga, rita, settings, tmp_path):
    """PE-3 by AWS's report alone, AC-1 by us alone, SI-2 by both; the window ended."""
    settings.EVIDENCE_STORE = str(tmp_path)
    factories.move_window(system, start=WINDOW[0], end=WINDOW[1])
    artifact = factories.make_artifact(oscar, ["pe-3", "si-2"])
    report = factories.make_report(artifact, dt.date(2025, 12, 1), TODAY)
    factories.rely_on(report, system, by=olga)
    rows = RequirementControl.objects.filter(
        system=system, implementation__control__ref_id__in=["ac-1", "si-2"]
    )
    factories.set_terms(rows, cadence="yearly", grace_days=10)
    for row in rows:
        link = factories.make_evidence(
            row, by=oscar, performed_on=dt.date(2026, 3, 2), title=f"Proof {row.pk}"
        )
        link.accept(by=rita, day=DayConfirmation(confirmed=True, shown_by="Log"))
    system.refresh_from_db()
    return system


def by_hand(system, day, window):
    """Results of the controls by the gatherer of one system."""
    results: dict[str, int] = {}
    for answer in control_statuses(system, moment_of(system, day, None), window=window):
        result = answer.period.result
        results[result] = results.get(result, 0) + 1
    return results


def test_the_dashboard_and_the_api_count_results(over, as_user, oscar):
    """R15: each result is counted; R28: one report never looks like our progress."""
    browser = as_user(oscar)
    address = reverse("evidence:window", args=[over.slug])
    assert (
        address
        in browser.get(reverse("evidence:dashboard", args=[over.slug])).content.decode()
    )
    counts = browser.get(address).context["counts"]
    assert dict(counts.results) == by_hand(over, TODAY, WINDOW)
    assert counts.results["complete"] == sum(counts.complete.values())
    body = browser.get(f"/api/v1/systems/{over.slug}/window/").json()
    assert body["results"] == dict(counts.results)
    assert body["ended"]
    assert body["complete"] == dict(counts.complete)
    assert body["complete"]["providers"] == 1


def test_a_count_leads_to_its_controls(over, as_user, oscar):
    """R28: what only a provider's report completed is found by itself."""
    browser = as_user(oscar)
    listed = reverse("evidence:controls", args=[over.slug])

    def shown(verdict):
        page = browser.get(listed, {"verdict": verdict}).context["page"]
        return {a.implementation["ref_id"] for a in page.object_list}

    assert shown("complete-providers") == {"pe-3"}
    assert "pe-3" in shown("complete")
    assert "pe-3" not in shown("exceptions")
    assert shown("exceptions")


def test_the_list_counts_each_over_its_own_window(over, as_user, oscar):
    """R15: systems with windows of their own count as each does alone."""
    other = factories.make_system(oscar, slug="ledger", services=["s3", "iam"])
    wide = factories.make_system(oscar, slug="archive")
    factories.move_window(wide, start=dt.date(2024, 1, 1), end=dt.date(2024, 12, 31))
    rows = as_user(oscar).get(reverse("evidence:windows")).context["rows"]
    assert [row.system.slug for row in rows] == ["archive", "ledger", over.slug]
    for row in rows:
        row.system.refresh_from_db()
        window = (row.system.window_start, row.system.window_end)
        assert row.window == window
        assert dict(row.results) == by_hand(row.system, TODAY, window)
        assert row.total == row.system.implementations.count()
    assert other.slug in {row.system.slug for row in rows}


def test_the_list_asks_as_many_questions_for_three_systems_as_for_one(over, oscar):
    """R28: a constant number of statements, whatever the windows that run."""
    factories.move_window(over, end=dt.date(2026, 12, 31))
    over.refresh_from_db()
    with CaptureQueriesContext(connection) as for_one:
        windows_of_systems([over], clock.now())
    others = [factories.make_system(oscar, slug=slug) for slug in ("ledger", "archive")]
    factories.move_window(others[0], start=dt.date(2025, 7, 1))
    others[0].refresh_from_db()
    with CaptureQueriesContext(connection) as for_three:
        windows_of_systems([over, *others], clock.now())
    assert len(for_three) == len(for_one)


def test_what_is_not_proven_at_the_end_is_not_complete(over, as_user, oscar):
    """R34: every occurrence on time, and only planned on the last day: exceptions."""
    row = factories.implementation(over, "ac-1")
    ImplementationStatement.objects.filter(implementation=row).update(status="planned")
    address = reverse("system-control", args=[over.slug, "ac-1"])
    body = as_user(oscar).get(address).json()["period"]
    assert (body["expected"], body["on_time"], body["missed"]) == (1, 1, 0)
    assert body["result"] == "exceptions"
    assert "not_proven_at_end" in {reason["code"] for reason in body["reasons"]}


def test_nothing_of_a_system_not_recorded_by_then(over, as_user, oscar):
    """R15: a page about a day before the system says so."""
    browser = as_user(oscar)
    address = reverse("evidence:window", args=[over.slug])
    page = browser.get(address, {"known_at": "2020-01-01"})
    assert "not recorded at that time" in page.content.decode()
    body = browser.get(
        f"/api/v1/systems/{over.slug}/window/", {"known_at": "2020-01-01T00:00:00Z"}
    )
    assert body.status_code == 400
