"""R24: where a control cites a report whose recorded coverage names other controls, the
page of the control and each export say so, by both clocks; no state moves."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.history.clock import knowledge_now
from evidence.artifacts.citation_decisions import citation_standings
from evidence.artifacts.coverage import record_coverage
from evidence.artifacts.coverage_targets import CoverageEntry
from evidence.artifacts.register import end_version
from evidence.models import ArtifactVersion, Citation
from evidence.status.gather import Moment
from evidence.status.unnamed_controls import series_not_naming
from tests import factories
from tests.evidence.exports import everything, packages
from tests.evidence.exports.everything import exported
from tests.evidence.exports.test_report import pages
from tests.evidence.exports.test_workbook import opened, rows
from tests.evidence.house import TODAY, House

pytestmark = pytest.mark.django_db(transaction=True)
HINT = "the recorded coverage names other controls, not this one"
COLUMN = "Cited for, but not in its recorded coverage"


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    """PE-3 cites a report; what is recorded of the report is about MA-4 alone."""
    built = everything.build(settings, tmp_path / "store")
    factories.give_installation_roles(built.olivia)
    return built


def reports_of(content: bytes) -> str:
    lines = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    return {line["label"]: line["artifacts"] for line in lines}["PE-3"]


def test_it_is_told_wherever_the_control_is_shown(house, as_user, tmp_path) -> None:
    browser = as_user(house.olivia)
    address = reverse("evidence:control", args=[house.system.slug, "pe-3"])
    browser.get(address)
    with CaptureQueriesContext(connection) as before_coverage:
        assert HINT not in browser.get(address).content.decode()
    report = ArtifactVersion.objects.get()
    key = factories.implementation(house.system, "pe-3").pk
    unrecorded = knowledge_now()
    (of_pe_3,) = citation_standings(Citation.objects.all())
    state = of_pe_3.state

    record_coverage(report, [CoverageEntry("ma-4")], by=house.olivia)
    (of_pe_3,) = citation_standings(Citation.objects.all())
    assert of_pe_3.unnamed
    assert of_pe_3.state == state
    assert series_not_naming([key], Moment(TODAY)) == {
        key: {report.artifact_id: report.artifact.title}
    }
    assert series_not_naming([key], Moment(TODAY, unrecorded)) == {}
    with CaptureQueriesContext(connection) as told:
        assert HINT in browser.get(address).content.decode()
    assert len(told) == len(before_coverage)
    then = {"known_at": unrecorded.isoformat()}
    assert HINT not in browser.get(address, then).content.decode()

    assert "whose recorded coverage names" in reports_of(exported(house, "csv"))
    (row,) = rows(opened(exported(house, "xlsx")), "Reports")
    assert row[COLUMN] == "PE-3"
    report_of_pdf = " ".join(pages(exported(house, "pdf")))
    beyond = "is cited for 1 control that its recorded coverage does not name: PE-3."
    assert beyond in report_of_pdf
    zipped = packages.saved(house, tmp_path / "package.zip", by=house.olivia)
    folder = packages.unpacked(zipped, tmp_path / "unpacked")
    page = (folder / "data" / "controls" / "PE-3.html").read_text()
    assert "its recorded coverage names other controls, not this one" in page
    listed = (folder / "data" / "provider-documents.csv").read_text("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(listed))
    assert line[COLUMN] == "PE-3"
    shown = browser.get(f"/api/v1/systems/{house.system.slug}/controls/pe-3/").json()
    assert [one["unnamed"] for one in shown["artifacts"]] == [True]

    instant = knowledge_now()
    record_coverage(report, [CoverageEntry("pe-3")], by=house.olivia)
    assert HINT not in browser.get(address).content.decode()
    then = {"known_at": instant.isoformat()}
    assert HINT in browser.get(address, then).content.decode()
    assert "whose recorded" not in reports_of(exported(house, "csv"))


def test_what_a_withdrawn_report_spoke_to_is_no_coverage(house) -> None:
    """R20: of nothing that counts is anything recorded; then nothing is known."""
    report = ArtifactVersion.objects.get()
    key = factories.implementation(house.system, "pe-3").pk
    record_coverage(report, [CoverageEntry("ma-4")], by=house.olivia)
    before = knowledge_now()
    end_version(
        report, state="withdrawn", on=TODAY, by=house.olivia, reason="Its letter."
    )
    assert series_not_naming([key], Moment(TODAY)) == {}
    assert key in series_not_naming([key], Moment(TODAY, before))
