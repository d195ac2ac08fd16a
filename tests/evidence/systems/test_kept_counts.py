"""What the list of systems and a dashboard count is kept, and is never out of date."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import ArtifactVersion, Citation
from evidence.status.trend import trend
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
JUDGES = "FROM evidence_proof"


@pytest.fixture(autouse=True)
def nothing_kept():
    cache.clear()


def look(browser, system):
    """Verdicts on both pages, and whether proof was read for each of them."""
    seen = []
    for url in (
        reverse("evidence:dashboard", args=[system.slug]),
        reverse("evidence:systems"),
    ):
        with CaptureQueriesContext(connection) as statements:
            page = browser.get(url)
        assert page.status_code == 200
        judged = any(JUDGES in row["sql"] for row in statements)
        if "counts" in page.context:
            verdicts = page.context["counts"].verdicts
        else:
            (row,) = [row for row in page.context["rows"] if row.system == system]
            verdicts = row.verdicts
        seen.append((dict(+verdicts), judged))
    return seen


def test_it_is_counted_anew_once_something_changes(system, oscar, olga, as_user):
    """R28: nothing stays proven on a page after what proved it has gone."""
    browser = as_user(oscar)
    (first, _), (listed, judged) = look(browser, system)
    assert first == listed and judged
    assert look(browser, system) == [(first, False), (first, False)]

    artifact = factories.make_artifact(oscar, ["pe-3", "si-2"])
    report = factories.make_report(artifact, dt.date(2026, 1, 1), TODAY)
    factories.rely_on(report, system, by=olga)
    (relied, judged), (also_listed, _) = look(browser, system)
    assert judged
    assert relied == also_listed != first
    assert look(browser, system) == [(relied, False), (relied, False)]

    # past every door of the system: the register is shared by all of them
    ArtifactVersion.objects.filter(pk=report.pk).update(
        state="revoked", ended_on=TODAY - dt.timedelta(days=30)
    )
    (revoked, judged), (also_listed, _) = look(browser, system)
    assert judged
    assert revoked == also_listed == first


def test_a_citation_is_counted_and_told_in_its_system(system, oscar, olga, as_user):
    """R24, R28: what a series is cited for moves one system's proof: its log has it,
    and no list goes on calling proven what nothing proves any more."""
    browser = as_user(oscar)
    artifact = factories.make_artifact(oscar, [])
    report = factories.make_report(artifact, dt.date(2026, 1, 1), TODAY)
    (before, _), _ = look(browser, system)
    control = factories.implementation(system, "pe-3").control
    api = f"/api/v1/artifacts/{artifact.uuid}/citations/"
    body = {"system": system.slug, "control_ids": [control.ref_id]}
    assert browser.post(api, body, content_type="application/json").status_code == 201
    factories.rely_on(report, system, by=olga)
    (cited, judged), (listed, _) = look(browser, system)
    assert judged and cited == listed != before

    citation = Citation.objects.get(system=system)
    away = reverse("evidence:citation_remove", args=[citation.uuid])
    assert browser.post(away).status_code == 302
    (gone, judged), (listed, _) = look(browser, system)
    assert judged
    assert gone == listed == before
    log = AuditEvent.objects.filter(chain=str(system.uuid))
    assert log.filter(verb="artifact.cited").count() == 1
    assert log.filter(verb="citation.removed").count() == 1


def test_by_other_rules_the_past_is_counted_anew(system, monkeypatch):
    """R35: an answer as known then is judged by today's rules."""
    trend(system, TODAY, months=2)
    with CaptureQueriesContext(connection) as statements:
        trend(system, TODAY, months=2)
    kept = len(statements)
    monkeypatch.setattr("evidence.status.trend.RULES", 99)
    with CaptureQueriesContext(connection) as statements:
        trend(system, TODAY, months=2)
    assert len(statements) > kept


def test_what_is_kept_of_one_system_is_not_forgotten_with_another(
    system, oscar, olga, as_user
):
    browser = as_user(oscar)
    other = factories.make_system(oscar, slug="ledger")
    look(browser, system)
    look(browser, other)
    factories.make_system(oscar, slug="archive")
    (_, judged), _ = look(browser, system)
    assert not judged


def test_another_day_is_counted_by_itself(system, oscar, as_user):
    """As asked about an earlier day, and as of the next one."""
    browser = as_user(oscar)
    look(browser, system)
    url = reverse("evidence:dashboard", args=[system.slug])
    with CaptureQueriesContext(connection) as statements:
        page = browser.get(url, {"on": "2026-03-31"})
    assert page.context["clocks"].moment.on == dt.date(2026, 3, 31)
    assert any(JUDGES in row["sql"] for row in statements)
