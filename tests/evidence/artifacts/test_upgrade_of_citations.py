"""The upgrade makes citations of coverage, and no past answer changes (R35)."""

from __future__ import annotations

import datetime as dt
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import connection

from evidence.models import ArtifactCoverage, ArtifactVersion, Citation
from evidence.status.gather import Moment, gather
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db(transaction=True)
TINY = dt.timedelta(microseconds=1)
SCHEMA = SimpleNamespace(connection=connection)
COVERED = """
SELECT DISTINCT i.system_id, c.control_id
  FROM (SELECT * FROM evidence_artifactcoverage_versions
         WHERE known_from < %(known_at)s
           AND (known_until IS NULL OR known_until >= %(known_at)s)) c
  JOIN controls_controlimplementation i ON i.control_id = c.control_id
"""


@pytest.fixture
def before(oscar, system, owner_dsn):
    """Coverage as of the version before: one that stands, one taken back."""
    factories.make_system(oscar, slug="ledger")
    artifact = factories.make_artifact(oscar, ["pe-3", "si-2"])
    factories.make_report(artifact, dt.date(2026, 1, 1), dt.date(2026, 9, 30))
    olga = factories.make_user("olga")
    for report in ArtifactVersion.objects.all():
        factories.rely_on(report, system, by=olga)
    known_from = ArtifactCoverage.objects.order_by("-pk")[0].known_from
    ArtifactCoverage.objects.get(control__ref_id="si-2").delete()
    with psycopg.connect(owner_dsn) as owner:
        owner.execute("ALTER TABLE evidence_citation DISABLE TRIGGER USER")
        owner.execute("DELETE FROM evidence_citation")
        owner.execute("ALTER TABLE evidence_citation ENABLE TRIGGER USER")
        owner.execute("DELETE FROM evidence_citation_history")
    return known_from


def cited(system: Any, moment: Moment) -> set[int]:
    """Controls that cite a series, by the gatherer; what is cited counts."""
    keys = dict(system.implementations.values_list("pk", "control_id"))
    gathered = gather(system, list(keys), moment)
    for row in gathered.facts.values():
        versions = row.aws.versions if row.aws else ()
        assert {version.citation for version in versions} <= {"accepted"}
    return {keys[pk] for pk, artifacts in gathered.artifacts.items() if artifacts}


def test_known_then_every_system_cites_what_was_covered(system, before, as_owner):
    step = import_module("evidence.migrations.0021_citations_of_systems")
    with as_owner():
        step.cite_in_each_system(None, SCHEMA)
        with connection.cursor() as cursor:
            moments = [before, before + TINY, before + dt.timedelta(days=1), None]
            for known_at in moments:
                instant = known_at or before + dt.timedelta(days=400)
                cursor.execute(COVERED, {"known_at": instant})
                covered = {c for s, c in cursor.fetchall() if s == system.pk}
                found = cited(system, Moment(TODAY, known_at))
                assert found == covered, known_at
    standing = Citation.objects.filter(control__ref_id="pe-3")
    assert standing.count() == 2  # of both systems
    coverage = ArtifactCoverage.objects.get()
    assert {row.known_from for row in standing} == {coverage.known_from}
    assert {row.counts_at_once for row in standing} == {True}
    assert coverage.uuid in {row.uuid for row in standing}


def test_a_report_that_its_provider_withdrew_is_superseded(
    oscar, system, owner_dsn, as_owner
):
    """R20, R25: it went on counting, and goes on; nothing became known by that."""
    artifact = factories.make_artifact(oscar, ["pe-3"])
    report = factories.make_report(artifact, dt.date(2026, 1, 1), dt.date(2026, 9, 30))
    with psycopg.connect(owner_dsn) as owner:
        owner.execute(
            "UPDATE evidence_artifactversion"
            " SET state = 'withdrawn', ended_on = '2026-05-01'"
        )
    known_from = ArtifactVersion.objects.get().known_from
    step = import_module("evidence.migrations.0020_each_provider_for_itself")
    with as_owner():
        step.fill(None, SCHEMA)
    report.refresh_from_db()
    assert (report.state, report.known_from) == ("superseded", known_from)
