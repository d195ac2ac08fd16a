"""The XLSX workbook: what an auditor finds on its sheets, and that nothing in it runs.

IN-04, R14 to R16, R36, AU-10.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from controls.models import ServiceVariant
from controls.responsibility.overrides import ask_override
from controls.retrospect import approve
from evidence.exports.sheets.workbook import SHEETS
from evidence.models import ArtifactVersion, Evidence, EvidenceLink
from evidence.systems.describe import Use, add_component
from tests import factories
from tests.evidence.exports import everything
from tests.evidence.exports.everything import ARABIC, EVIL, exported
from tests.evidence.exports.test_report import pages
from tests.evidence.held_reports.held import hold
from tests.evidence.house import TODAY, House
from tests.evidence.requirements.test_terms_have_days import change

DAY = dt.timedelta(days=1)
pytestmark = pytest.mark.django_db(transaction=True)
TITLES = ["About", *(sheet.title for sheet in SHEETS)]


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return everything.build(settings, tmp_path)


def opened(content: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(content))


def rows(book: Any, title: str) -> list[dict[str, Any]]:
    """The rows of a sheet by their headings; empty cells are None."""
    head, *others = book[title].iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in others]


def test_the_first_sheet_says_what_the_file_is_about(house) -> None:
    book = opened(exported(house, "xlsx"))
    assert book.sheetnames == TITLES
    lines = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True)}
    assert lines["System"] == "Shop (shop)"
    assert lines["About the day"] == f"{TODAY} (UTC)"
    start, end = house.system.window_start, house.system.window_end
    assert lines["Audit window"] == f"{start} to {end}"
    assert re.match(r"2026-11-23T\d\d:\d\d:\d\d\.\d+\+00:00", lines["Known at"])
    assert re.match(r"number \d+", lines["Rules"])
    assert re.match(r"20\d\d\.\d+", lines["Reference data"])


def test_its_status_is_that_of_the_csv(house) -> None:
    """AU-10: the same controls, halves, verdicts and results in both."""
    book = opened(exported(house, "xlsx"))
    text = io.StringIO(exported(house, "csv").decode("utf-8-sig"))
    table = list(csv.DictReader(text))
    names = ["label", "title", "aws_half", "customer_half", "verdict"]
    shown = ["Control", "Title", "Providers' half", "Our half", "Verdict"]
    assert [[row[name].replace("_", " ") for name in names] for row in table] == [
        [row[name] for name in shown] for row in rows(book, "Status")
    ]
    counts = [
        [row["period_result"], int(row["expected"]), int(row["missed"])]
        for row in table
    ]
    assert counts == [
        [row["Result"], row["Expected"], row["Missed"]] for row in rows(book, "Period")
    ]
    assert len({tuple(row) for row in counts}) > 1


def test_nothing_in_it_runs_and_names_stay_as_they_were_typed(house) -> None:
    """IN-04: `=cmd|...` is text in its cell, and stays text when somebody edits it."""
    everything.with_population(house)
    content = exported(house, "xlsx")
    book = opened(content)
    titles = [row["Title of the evidence"] for row in rows(book, "Evidence")]
    assert EVIL in titles
    assert ARABIC in titles
    (row,) = rows(book, "Populations and samples")
    assert row["Query"] == "=type:change"
    for sheet in book:
        for line in sheet.iter_rows():
            for cell in line:
                assert cell.data_type != "f", (sheet.title, cell.coordinate)
                if str(cell.value or "").startswith(("=", "+", "-", "@")):
                    assert cell.quotePrefix, cell.coordinate
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not [n for n in archive.namelist() if "vba" in n or "external" in n]
        for name in archive.namelist():
            if name.startswith("xl/worksheets/"):
                assert b"<f>" not in archive.read(name), name
                assert b"<hyperlink" not in archive.read(name), name


def test_a_text_that_looks_like_markup_of_a_workbook_is_text(house) -> None:
    """IN-04: neither a formula nor a cell of its own comes with a title."""
    markup = (
        '<r><t>A</t></r></is></c><c r="Z9"><f>1+1</f></c>'
        '<c r="Y9" t="inlineStr"><is><r><t> & B</t></r>'
    )
    Evidence.objects.filter(title=EVIL).update(title=markup)
    content = exported(house, "xlsx")
    titles = [r["Title of the evidence"] for r in rows(opened(content), "Evidence")]
    assert markup in titles
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            assert b"<f>" not in archive.read(name), name


def test_heads_stay_in_sight_and_columns_can_be_filtered(house) -> None:
    book = opened(exported(house, "xlsx"))
    for sheet in SHEETS:
        page = book[sheet.title]
        assert page.freeze_panes == "B2"
        assert page.auto_filter.ref.startswith("A1:")
        assert page.column_dimensions["B"].width > 10
    assert book["Status"].conditional_formatting


def test_gaps_name_what_is_missing_and_what_to_do(house) -> None:
    gaps = rows(opened(exported(house, "xlsx")), "Gaps")
    waiting = [row for row in gaps if row["Control"] == "AC-1"]
    assert any("waits for review" in row["Gap"] for row in waiting)
    assert any(row["Next step"] for row in waiting)
    missed = [row for row in gaps if row["Control"] == "CM-8" and row["Due"]]
    assert missed
    assert {row["Where"] for row in missed} == {"over the window"}
    assert all(row["From"] <= row["To"] < row["Due"] for row in missed)


def test_populations_reports_and_their_judges_stand_in_it(house) -> None:
    """R16, R24."""
    everything.with_population(house)
    book = opened(exported(house, "xlsx"))
    (row,) = rows(book, "Populations and samples")
    assert (row["Control"], row["Item"], row["State of the item"]) == (
        "CM-8",
        "CHG-2",
        "open",
    )
    assert (row["Drawn by"], row["Sample drawn by"]) == ("Alice", "Audrey")
    assert row["Sample"] == "1 by random, seed 4711"
    (report,) = rows(book, "Reports")
    assert (report["Relied on"], report["Reviewed by"]) == ("rely", "Rita")
    assert report["Controls it is cited for"] == 1


def test_of_a_report_that_is_held_the_hash_alone_leaves_the_house(house) -> None:
    """R27: in workbook, package and plan; the name of the file does not leave."""
    assert {row["sha256 of what is held"] for row in rows(
        opened(exported(house, "xlsx")), "Reports")} == {None}  # fmt: skip
    report = ArtifactVersion.objects.get()
    factories.give_installation_roles(house.olivia)
    held = hold(report, by=house.olivia, name="secret-name.pdf")
    content = exported(house, "xlsx")
    (row,) = rows(opened(content), "Reports")
    assert row["sha256 of what is held"] == held.sha256
    plan = exported(house, "oscal-ssp").decode()
    body = json.loads(plan)["system-security-plan"]
    (leveraged,) = body["system-implementation"]["leveraged-authorizations"]
    resources = {r["uuid"]: r for r in body["back-matter"]["resources"]}
    resource = resources[leveraged["links"][0]["href"].removeprefix("#")]
    assert resource["rlinks"][0]["hashes"] == [
        {"algorithm": "SHA-256", "value": held.sha256}
    ]
    package = exported(house, "package")
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        members = {name.rpartition("/")[2]: name for name in archive.namelist()}
        table = archive.read(members["provider-documents.csv"]).decode()
        assert held.sha256 in table
        assert not any("secret-name" in name for name in archive.namelist())
    assert "secret-name" not in plan + table


def test_changes_of_the_window_name_both_persons(house) -> None:
    """R36: who asked for an override, and who approved it."""
    before = rows(opened(exported(house, "xlsx")), "Changes")
    assert not [row for row in before if row["What"] == "override"]
    everything.change_everything(house)
    changes = rows(opened(exported(house, "xlsx")), "Changes")
    (row,) = [row for row in changes if row["What"] == "override"]
    assert (row["Control"], row["It says"]) == ("PE-3", "shared")
    assert row["Because"] == "We hold the keys of the cage."
    assert row["By"] and row["Second person"]
    assert row["From"].date() == TODAY


def test_a_control_with_500_files_has_a_row_for_each(house) -> None:
    """One cell could not hold their digests."""
    everything.with_many_files(house, 500)
    index = rows(opened(exported(house, "xlsx")), "Evidence")
    files = [row for row in index if row["Control"] == "CM-8"]
    assert len(files) == 500
    assert {len(row["sha256"]) for row in files} == {64}
    for name in ("csv", "pdf", "fedramp-crm"):
        assert exported(house, name)


def test_only_the_controls_of_the_view_are_on_any_sheet(house) -> None:
    everything.with_population(house)
    book = opened(exported(house, "xlsx", filters={"family": "ac"}))
    for sheet in SHEETS:
        if "Control" in [column.title for column in sheet.columns]:
            named = {row["Control"] for row in rows(book, sheet.title)}
            assert named <= {"AC-1", None}, sheet.title
    assert rows(book, "Reports") == []
    assert "family AC" in [row[1].value for row in book["About"].iter_rows()]


def test_what_was_changed_in_retrospect_names_who_asked(house) -> None:
    """R32, R36: its class was written by the approval, and names two persons."""
    asked = ask_override(
        factories.implementation(house.system, "pe-3"),
        responsibility="shared",
        reason="We hold the keys of the cage.",
        starts_on=TODAY - 5 * DAY,
        ends_on=TODAY + 30 * DAY,
        by=house.olivia,
        today=TODAY,
    )
    boss = factories.make_user("boss")
    factories.give_role(boss, house.system, "officer")
    approve(asked, by=boss, today=TODAY, version=asked.version)
    changes = rows(opened(exported(house, "xlsx")), "Changes")
    people = {
        row["What"]: (row["By"], row["Second person"])
        for row in changes
        if row["Control"] == "PE-3" and row["In retrospect"] == "yes"
    }
    assert people == dict.fromkeys(("class", "override"), ("Olivia", boss.name))


def test_what_came_after_the_period_stands_apart(house) -> None:
    """R36: performed, withdrawn or found after the window's end, to the file's day."""
    ended = {"window": (TODAY - 60 * DAY, TODAY - 11 * DAY)}
    before = exported(house, "xlsx", **ended)
    found = rows(opened(before), "After the period")
    assert [(row["On"].date(), row["What"], row["Control"]) for row in found] == [
        (TODAY - 10 * DAY, "finding", "AC-1"),
        (TODAY - 3 * DAY, "performed", "SI-2"),
        (TODAY, "performed", "AC-1"),
        (TODAY, "performed", "CM-8"),
    ]
    states = [row["State"] for row in found]
    assert states == ["moderate", "rejected", "submitted", "accepted"]
    link = EvidenceLink.objects.get(state="submitted")
    link.withdraw(by=house.raul, reason="It was of another account.")
    after = exported(house, "xlsx", **ended)
    (back,) = (
        row
        for row in rows(opened(after), "After the period")
        if row["What"] == "evidence withdrawn"
    )
    assert (back["Control"], back["By"]) == ("AC-1", house.raul.name)
    report = " ".join(pages(exported(house, "pdf", **ended)))
    assert "evidence withdrawn AC-1" in report.rpartition("After the period")[2]
    running = exported(house, "xlsx")  # to a day that has not come
    assert rows(opened(running), "After the period") == []


def test_who_changed_an_ask_or_a_service_stands_beside_it(house) -> None:
    """R36: an ask's terms and a component's days carry no name; the log has it."""
    asked = house.requirement("si-2")
    change(asked, house, grace_days=3)
    service = ServiceVariant.objects.get(service__slug="sqs")
    add_component(house.system, Use(service, TODAY), by=house.olivia, today=TODAY)
    found = rows(opened(exported(house, "xlsx")), "Changes")
    began = [row for row in found if row["From"] and row["From"].date() == TODAY]
    stated = {
        (row["What"], row["It says"], row["By"])
        for row in began
        if row["What"] == "component" or row["Control"] == "SI-2"
    }
    assert ("component", service.service.name, "Olivia") in stated
    terms = [row for row in stated if row[0] == "ask" and "grace 3 days" in row[1]]
    assert [by for _, _, by in terms] == ["Olivia"]
