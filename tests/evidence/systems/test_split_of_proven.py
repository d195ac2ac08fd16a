"""Every count splits *proven* by whose halves were required that day (R28)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from evidence.charts import proof_segments
from evidence.models import RequirementControl
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def proven(system, oscar, olga, rita, settings, tmp_path):
    """PE-3 by AWS's report alone, AC-1 by us alone, SI-2 by both."""
    settings.EVIDENCE_STORE = str(tmp_path)
    artifact = factories.make_artifact(oscar, ["pe-3", "si-2"])
    report = factories.make_report(artifact, dt.date(2026, 1, 1), TODAY)
    factories.rely_on(report, system, by=olga)
    rows = RequirementControl.objects.filter(
        system=system, implementation__control__ref_id__in=["ac-1", "si-2"]
    )
    factories.set_terms(rows, cadence="yearly", grace_days=10)
    for row in rows:
        link = factories.make_evidence(
            row, by=oscar, performed_on=TODAY, title=f"Proof {row.pk}"
        )
        link.accept(by=rita)
    return system


def test_registering_one_report_does_not_look_like_our_progress(proven, as_user, oscar):
    """R28: dashboard, list of systems, control list, trend and their API."""
    browser = as_user(oscar)
    address = reverse("evidence:dashboard", args=[proven.slug])
    page = browser.get(address)
    split = {"both": 1, "ours": 1, "providers": 1}
    assert dict(page.context["counts"].proven) == split
    text = page.content.decode()
    for words in ("by us and providers", "by us alone", "by providers alone"):
        assert f"proven {words}" in text
    (row,) = browser.get(reverse("evidence:systems")).context["rows"]
    assert dict(row.proven) == split
    listed = reverse("evidence:controls", args=[proven.slug])
    shown = browser.get(listed, {"verdict": "proven-providers"}).content.decode()
    assert "PE-3" in shown
    assert "AC-1 " not in shown
    points = browser.get(f"/api/v1/systems/{proven.slug}/trend/").json()
    assert points[-1]["proven"] == split
    assert points[-1]["verdicts"]["proven"] == 3
    control = browser.get(f"/api/v1/systems/{proven.slug}/controls/pe-3/").json()
    assert control["proven_by"] == "providers"


def test_segments_add_up():
    """R28: the parts of *proven* stand beside each other, nothing twice."""
    verdicts = {"proven": 5, "partly": 2, "unproven": 1, "not_applicable": 3}
    parts = proof_segments(verdicts, {"both": 2, "ours": 2, "providers": 1})
    assert [(part.code, part.count) for part in parts] == [
        ("proven-both", 2),
        ("proven-ours", 2),
        ("proven-providers", 1),
        ("partly", 2),
        ("unproven", 1),
        ("not_applicable", 3),
    ]
    assert proof_segments(verdicts, {})[0].code == "proven"
