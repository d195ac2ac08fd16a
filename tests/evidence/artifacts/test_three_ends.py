"""Superseded, ended on a day, withdrawn by its auditor: three ends told apart (R20)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from controls.history.clock import knowledge_now
from evidence.artifacts import register
from evidence.status.control_status import ControlStatus, control_statuses, window_of
from evidence.status.gather import Moment
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
START, ENDS = dt.date(2026, 1, 1), dt.date(2026, 9, 30)


@pytest.fixture
def report(system, oscar, olga):
    """Registered by oscar, cited for PE-3 and relied on."""
    artifact = factories.make_artifact(oscar, ["pe-3"])
    made = factories.make_report(artifact, START, ENDS)
    factories.rely_on(made, system, by=olga)
    return made


def answer(system, known_at=None) -> ControlStatus:
    pk = factories.implementation(system, "pe-3").pk
    window = window_of(system)
    (found,) = control_statuses(
        system, Moment(TODAY, known_at), pks=[pk], window=window
    )
    return found


def test_superseded_keeps_every_day_and_currency(system, report, oscar):
    """R25: no longer offered, it goes on proving what it proved."""
    before = answer(system)
    register.end_version(report, state="superseded", on=dt.date(2026, 5, 1), by=oscar)
    assert answer(system) == before
    assert before.status.aws_half == "proven"


def test_one_that_is_no_longer_offered_may_be_withdrawn_later(
    system, report, oscar, as_user
):
    """R20, R25: AWS's list supersedes reports by itself; that keeps no end from being
    recorded, and none is taken back."""
    browser = as_user(oscar)
    page = reverse("evidence:version_end", args=[report.uuid])
    for state, status in (
        ("superseded", 302),
        ("superseded", 409),
        ("revoked", 302),
        ("superseded", 409),
        ("withdrawn", 302),
        ("revoked", 409),
    ):
        report.refresh_from_db()
        form = {"state": state, "on": "2026-11-02", "version": report.version}
        told = browser.post(page, form | {"reason": "They wrote."}, follow=True)
        redirected = [code for _, code in told.redirect_chain]
        assert (redirected or [told.status_code])[0] == status, state
    assert "None of its days counts any more" not in told.content.decode()
    assert answer(system).status.aws_half == "missing"
    shown = browser.get(reverse("evidence:artifact", args=[report.artifact.uuid]))
    assert "superseded, revoked or withdrawn" not in shown.content.decode()


def test_ended_on_a_day_its_days_from_then_on_are_open(system, report, oscar):
    """R20: days before it stay covered."""
    register.end_version(report, state="revoked", on=dt.date(2026, 5, 1), by=oscar)
    found = answer(system)
    assert found.status.aws_half == "lapsed"
    assert found.period.aws_days.audited == 120


def test_withdrawn_by_its_auditor_no_day_is_covered_as_known_from_then(
    system, report, oscar, as_user
):
    """R20, R31: a judgement that acts on every day, from when it is known."""
    then = knowledge_now()
    browser = as_user(oscar)
    where = f"/api/v1/artifact-versions/{report.uuid}/end/"
    said = {"state": "withdrawn", "ended_on": "2026-11-02"}
    refused = browser.post(where, said, "application/json")
    assert refused.status_code == 400
    assert "superseded" in str(refused.json()["errors"]["reason"])
    page = reverse("evidence:version_end", args=[report.uuid])
    form = {"state": "withdrawn", "on": "2026-11-02", "version": 1}
    assert browser.post(page, form).status_code == 400
    said |= {"reason": "Letter of the auditor of 2 November."}
    assert browser.post(where, said, "application/json").status_code == 200
    found = answer(system)
    assert found.status.aws_half == "missing"
    assert [r.code for r in found.status.reasons] == ["report_withdrawn"]
    assert found.period.aws_days.audited == 0
    before = answer(system, then)
    assert before.status.aws_half == "proven"
    assert before.period.aws_days.audited == 273
