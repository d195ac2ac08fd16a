"""R3 to R5: FedRAMP's CIS and CRM worksheets, a row per part, read back by us."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from controls.models import ControlImplementation
from controls.provider_documents.rows import read_statements
from evidence.exports.formats import FORMATS
from evidence.exports.rows.scope import no_progress, scope_of
from evidence.exports.sheets.fedramp import ORIGINS, STATUSES
from evidence.status.control_status import control_statuses, moment_of
from tests import factories
from tests.evidence.exports import everything
from tests.evidence.exports.everything import exported
from tests.evidence.house import TODAY, House

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    house = everything.build(settings, tmp_path)
    statement = "=We patch every guest within 30 days."
    chosen = ControlImplementation.objects.filter(control__ref_id="si-2")
    chosen.update(customer_statement=statement)
    return house


def sheets(content: bytes) -> tuple[Any, Any]:
    """The rows of the CIS by part, as the headings marked; those of the CRM by part."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    assert book.sheetnames == ["About", "Moderate CIS Worksheet",
                               "Moderate CRM Worksheet"]  # fmt: skip
    cis, crm = (list(book[name].iter_rows(values_only=True)) for name in
                book.sheetnames[1:])  # fmt: skip
    assert cis[1][0] == crm[2][0] == "Control ID"
    assert cis[2][1:] == (*STATUSES, *ORIGINS)
    marked = {
        row[0]: {name for name, cell in zip(cis[2], row, strict=True) if cell == "X"}
        for row in cis[3:]
    }
    return marked, {row[0]: row[1:] for row in crm[3:]}


def test_there_is_one_row_for_each_part_in_both(house) -> None:
    cis, crm = sheets(exported(house, "fedramp-crm"))
    assert list(cis) == list(crm)
    assert {"AC-1(a)", "AC-1(b)", "AC-1(c)", "SI-2(a)", "SI-2(d)"} <= set(cis)
    assert "AC-1" not in cis
    assert not [label for label in cis if label.count("(") > 1]


def test_status_and_origin_are_marked(house) -> None:
    implementation = factories.implementation(house.system, "si-2")
    implementation.statements.update(
        status="implemented", part_statuses={"si-2_smt.b": "planned"}
    )
    cis, crm = sheets(exported(house, "fedramp-crm"))
    assert "Implemented" in cis["SI-2(a)"]
    assert "Planned" in cis["SI-2(b)"]
    assert "Shared (Service Provider and Customer Responsibility)" in cis["SI-2(a)"]
    assert cis["PE-3(a)"] >= {"Inherited from Pre-Existing  Authorization"}
    assert crm["PE-3(a)"] == ("Yes", None)
    inheritance, text = crm["SI-2(a)"]
    assert inheritance == "Partial"
    assert text.startswith("Inherited: ")
    assert text.endswith("=We patch every guest within 30 days.")
    assert crm["AC-1(a)"][0] == "No"
    assert cis["AC-1(a)"] & set(ORIGINS) == {ORIGINS[4]}


def test_our_importer_reads_it_back_without_loss(house) -> None:
    """Each control with the class it has here, and the very text."""
    content = exported(house, "fedramp-crm")
    _, crm = sheets(content)
    read = read_statements(io.BytesIO(content), "crm.xlsx")
    assert read.errors == ()
    answers = control_statuses(house.system, moment_of(house.system, None, None))
    ours = {
        answer.implementation["ref_id"]: answer.facts.responsibility
        for answer in answers
    }
    assert {row.control_id: row.responsibility for row in read.rows} == ours
    assert set(ours.values()) >= {"inherited", "shared", "customer"}
    for row in read.rows:
        label = row.control_id.upper()
        texts = {text for part, (_, text) in crm.items() if part.startswith(label)}
        assert all((text or "") in row.text for text in texts)


def test_r5_a_part_that_is_read_by_itself_has_a_class_of_its_own(house) -> None:
    """A second storage site is guarded by AWS; that our copies lie there is ours."""
    baseline = factories.make_baseline(["cp-6", "ir-6"], slug="parts")
    system = factories.make_system(house.olivia, slug="parts", baseline=baseline)
    file = io.BytesIO()
    scope = scope_of(system, TODAY, None, None)
    FORMATS["fedramp-crm"].write(scope, file, no_progress)
    cis, crm = sheets(file.getvalue())
    shared, inherited = ORIGINS[5], ORIGINS[6]
    assert (crm["CP-6(a)"][0], crm["CP-6(b)"][0]) == ("Partial", "Yes")
    assert (shared in cis["CP-6(a)"], cis["CP-6(b)"]) == (True, {inherited})
    assert (crm["IR-6(a)"][0], crm["IR-6(b)"][0]) == ("Partial", "No")
    assert "Inherited:" in crm["IR-6(a)"][1]
    assert "Inherited:" not in crm["IR-6(b)"][1]
