"""Each line of the provider's own document is understood or named, none is lost."""

from __future__ import annotations

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from controls.errors import Refused
from controls.models import ProviderDocument
from controls.provider_documents.ids import control_and_part
from controls.provider_documents.rows import read_statements
from tests.controls.provider_documents import FEDRAMP, HEAD, read, send, sheet
from tests.sheets import xlsx_bytes

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("spelled", ["AC-2(1)", "ac-2.1", "AC-02(01)", "AC-2 (1)"])
def test_ids_are_understood_in_the_forms_people_write(spelled):
    rows = read(f'{HEAD}"{spelled}",Shared,Words\n').rows
    assert [row.control_id for row in rows] == ["ac-2.1"]


def test_columns_are_found_by_their_headings_in_each_sheet():
    content = sheet(
        [
            ["Customer responsibility matrix"],
            [],
            [
                "Control ID",
                "Can Be Inherited from CSP",
                "Specific Inheritance and Customer Responsibilities",
            ],
            ["PE-3", "Yes", "The halls are guarded."],
            ["AC-2", "Partial", "Ours and yours."],
            ["AC-4", "No", None],
            ["AC-11", None, None],
        ]
    )
    found = read_statements(io.BytesIO(content), "CRM.xlsx")
    assert not found.errors
    assert [(r.control_id, r.responsibility, r.text) for r in found.rows] == [
        ("pe-3", "inherited", "The halls are guarded."),
        ("ac-2", "shared", "Ours and yours."),
        ("ac-4", "customer", ""),
    ]
    assert str(found.rows[0].place) == "sheet “CRM”, line 4, column A"


def test_semicolons_and_old_encodings_are_read():
    text = "Control;Responsibility;Statement\r\nAC-2;shared;Caf\u00e9\r\n"
    content = text.encode("cp1252")
    rows = read_statements(io.BytesIO(content), "m.csv").rows
    assert (rows[0].control_id, rows[0].text) == ("ac-2", "Café")


def test_each_wrong_line_is_named_with_its_column():
    found = read(HEAD + "what,shared,\nAC-2,perhaps,\nAC-4,shared,fine\n")
    assert [str(error) for error in found.errors] == [
        "Line 2, column A: “what” is not the id of a control, such as AC-2(1).",
        "Line 3, column B: “perhaps” is not inherited, shared or customer.",
    ]


def test_a_line_after_a_text_of_several_lines_keeps_its_number():
    found = read(HEAD + 'AC-2,shared,"one\ntwo\nthree"\nAC-4,perhaps,\n')
    assert found.errors[0].place.line == 5


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"", "m.csv", "empty"),
        (b"x" * (5 * 1024 * 1024 + 1), "m.csv", "larger than 5 MB"),
        (b"Control,Responsibility\n", "m.pdf", ".csv or .xlsx"),
        (b"\0\1", "m.csv", "no text"),
        (b"PK\3\4 nothing", "m.xlsx", "cannot be read"),
        (b"a,b\n1,2\n", "m.csv", "No line names the columns"),
        (HEAD.encode() + b"AC-2,shared,\n" * 5001, "m.csv", "5,000 rows"),
        (HEAD.encode() + b"x\n" * 20_001, "m.csv", "20,000 lines"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(content, name, message):
    with pytest.raises(Refused) as refusal:
        read_statements(io.BytesIO(content), name)
    assert message in " ".join(refusal.value.messages)


def test_r5_the_class_of_a_control_is_the_union_of_its_parts(system, oscar, as_user):
    parts = [
        FEDRAMP,
        ["AC-02 (a)", "Partial", "The provider does its part."],
        ["AC-02 (b)", "Partial", "The provider does the rest."],
        ["AC-03 (a)", "Yes", None],
        ["AC-03 (b)", "No", "Ours alone."],
        ["PE-03 (a)", "Yes", None],
        ["PE-03 (b)", "Yes", None],
        ["AC-14 a.", "No", "Ours alone."],
    ]
    answer = send(as_user(oscar), system, text=sheet(parts), name="m.xlsx")
    assert answer.status_code == 302
    rows = as_user(oscar).get(answer["Location"]).context["read"].rows
    classes = {row.control_id: (row.responsibility, row.text) for row in rows}
    assert classes == {
        "ac-2": (
            "shared",
            "(a) The provider does its part.\n(b) The provider does the rest.",
        ),
        "ac-3": ("shared", "(b) Ours alone."),
        "pe-3": ("inherited", ""),
        "ac-14": ("customer", "(a) Ours alone."),
    }


def test_a_part_that_stands_twice_is_named():
    rows = read(HEAD + "AC-2(a),Shared,\nAC-2(b),Shared,\nAC-2 (a),Inherited,\n").rows
    assert [row.place.line for row in rows] == [2, 3, 4]  # `preview` names the second


@pytest.mark.parametrize(
    ("text", "control_id", "part"),
    [
        ("AC-2(1)", "ac-2.1", ""),
        ("AC-02(01)(a)", "ac-2.1", "(a)"),
        ("ac-2 (a)(1)", "ac-2", "(a)(1)"),
        ("AC-2 b.", "ac-2", "(b)"),
        ("SC-7 (4) (c)", "sc-7.4", "(c)"),
        ("AC-2a.", "ac-2", "(a)"),
        ("AC-1 a 1", "ac-1", "(a)(1)"),
        ("AC-1(a)(1)(i)", "ac-1", "(a)(1)(i)"),
        ("SI-3 c.2", "si-3", "(c)(2)"),
        ("AC-2, part b", "ac-2", "(b)"),
        ("AC-2.1.a", "ac-2.1", "(a)"),
        ("AC-6 (1) (a) - (b)", "ac-6.1", "(a)-(b)"),
        ("CA-2 Req. 1", "ca-2", "(req)(1)"),
        ("AC-2 is ours", "", ""),
        ("AC-2 Account Management", "", ""),
        ("Access control (a)", "", ""),
        ("(a)", "", ""),
        ("", "", ""),
    ],
)
def test_parts_are_told_from_ids(text, control_id, part):
    assert control_and_part(text) == (control_id, part)


def test_sheets_of_examples_and_hidden_ones_are_left_out_and_named(
    system, oscar, as_user
):
    book = xlsx_bytes(
        sheets={
            "Example CRM Worksheet Responses": [
                ["Example CRM Worksheet Responses"],
                FEDRAMP,
                ["AC-3", "Partial", "An example of wording."],
            ],
            "Moderate CRM Worksheet": [
                ["Moderate"],
                FEDRAMP,
                ["AC-3", "Yes", None],
                ["PE-3", "Yes", None],
            ],
        }
    )
    answer = send(as_user(oscar), system, text=book, name="m.xlsx")
    assert answer.status_code == 302
    page = as_user(oscar).get(answer["Location"])
    rows = page.context["read"].rows
    assert {row.control_id: row.responsibility for row in rows} == {
        "ac-3": "inherited",
        "pe-3": "inherited",
    }
    assert (
        "Sheet “Example CRM Worksheet Responses” holds examples."
        in page.content.decode()
    )
    door = f"/api/v1/systems/{system.slug}/provider-documents/preview/"
    body = as_user(oscar).post(door, {"file": SimpleUploadedFile("m.xlsx", book)})
    assert body.json()["left_out"] == list(page.context["read"].left_out)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            HEAD + 'AC-2,Shared,"19 inch\nAC-3,Shared,x\nPE-3,Inherited,y\n',
            "Line 2: a quote is opened and never closed.",
        ),
        (HEAD + "AC-2,#REF!,x\n", "The cell holds the error #REF!"),
        (
            "Control ID,Responsibility,Responsibility\nAC-2,Shared,Inherited\n",
            "Two columns are called “Responsibility” (line 1, column B).",
        ),
    ],
)
def test_nothing_of_a_document_is_lost_without_a_word(
    text, sentence, system, oscar, as_user
):
    answer = send(as_user(oscar), system, text=text)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ProviderDocument.objects.exists()


def test_a_class_merged_over_several_lines_is_named(system, oscar, as_user):
    rows = [[*FEDRAMP], ["AC-2", "Yes"], ["AC-3"], ["PE-3", "Yes"]]
    book = xlsx_bytes(rows, change=lambda sheet: sheet.merge_cells("B2:B3"))
    answer = send(as_user(oscar), system, text=book, name="m.xlsx")
    compared = as_user(oscar).get(answer["Location"]).context["compared"]
    assert [c.implementation.control.ref_id for c in compared.stated] == ["pe-3"]
    assert compared.withheld == ("ac-2",)
    places = [str(error.place) for error in compared.errors]
    assert places == [
        "sheet “List”, line 2, column B",
        "sheet “List”, line 3, column B",
    ]
