"""The one reader of sheets: every fault named, and CSV equal to XLSX."""

from __future__ import annotations

import ast
import csv
import datetime as dt
import io
import zipfile
from dataclasses import replace

import pytest
from django.conf import settings as project
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.chart import BarChart

from controls import spreadsheets
from controls.errors import Refused
from controls.spreadsheets import (
    Limits,
    Line,
    lines_of,
    number_as_day,
    parse_lines,
    parsing,
    read_records,
    require_one_sheet,
)
from tests.sheets import (
    csv_bytes,
    replaced,
    strict,
    with_empty_fill,
    xlsx_bytes,
)

TABLE = [
    ["key", "day", "note"],
    ["CHG-1", "2026-10-05", "Müller; “quoted”, and\ntwo lines"],
    ["007", "", "=1+1"],
    ["", "", "only here"],
]
CELLS = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=("Cc", "Cs", "Cn"),
        include_characters="\n",
        exclude_characters="\ufffe\uffff",
    ),
    max_size=12,
).filter(lambda text: "_x" not in text)  # the escape that workbooks use
TABLES = st.lists(st.lists(CELLS, max_size=4), max_size=5)


def plain(lines) -> list[tuple[int, tuple[str, ...]]]:
    """Cells by line, counted alone: lines of a text in a cell count in CSV only."""
    return [line.cells for line in lines]


def contents(table) -> list[tuple[str, ...]]:
    """What a reader has to find in a table."""
    found = []
    for row in table:
        cells = [cell.strip() for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            found.append(tuple(cells))
    return found


# --- the same content gives the same lines -------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings_and_delimiters_make_no_difference(delimiter, encoding):
    content = csv_bytes(TABLE, delimiter=delimiter, encoding=encoding)
    assert plain(parse_lines(content, "a.csv")) == contents(TABLE)
    assert plain(parse_lines(xlsx_bytes(TABLE), "a.xlsx")) == contents(TABLE)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@example([["\u00a0", "x"], [], ["#", "a;b", "a,b", '"']])
@given(TABLES)
def test_csv_and_xlsx_of_a_table_are_read_equal(table):
    table = [["a", "b", "c", "d"], *table]
    from_csv = list(parse_lines(csv_bytes(table), "a.csv"))
    from_xlsx = list(parse_lines(xlsx_bytes(table), "a.xlsx"))
    assert plain(from_csv) == plain(from_xlsx) == contents(table)
    faults = [[f.code for f in line.faults] for line in from_csv]
    assert faults == [[f.code for f in line.faults] for line in from_xlsx]


# Nothing that, in Windows-1252, happens to be UTF-8 as well.
DIALECT_CELLS = st.text(st.sampled_from("aZ0 äöüéß,;\t\"'\n|"), max_size=8)


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.lists(DIALECT_CELLS, min_size=3, max_size=3), max_size=5),
    delimiter=st.sampled_from(",;\t"),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    ends=st.sampled_from(["\r\n", "\n", "\r"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
    hinted=st.booleans(),
)
def test_no_dialect_of_csv_loses_a_cell(
    rows, delimiter, quoting, ends, encoding, hinted
):
    """As Excel, Numbers, LibreOffice and old Macs write it, with a hint or not."""
    table = [["key", "day", "note"], *rows]
    out = io.StringIO(newline="")
    out.write(f"sep={delimiter}\r\n" if hinted else "")
    if ends == "\r":  # this writer would not quote a "\n" then
        quoting = csv.QUOTE_ALL
    csv.writer(
        out, delimiter=delimiter, quoting=quoting, lineterminator=ends
    ).writerows(table)
    content = out.getvalue().encode(encoding)
    assert plain(parse_lines(content, "a.csv")) == contents(table)


def test_hidden_rows_and_columns_are_read_and_a_chart_takes_none_away():
    def change(sheet):
        sheet.row_dimensions[2].hidden = True
        sheet.column_dimensions["B"].hidden = True
        sheet.auto_filter.ref = "A1:B3"
        sheet.parent.create_chartsheet("Chart", 0).add_chart(BarChart())

    table = [["key", "day"], ["CHG-1", "2026-10-05"], ["CHG-2", "2026-10-06"]]
    book = xlsx_bytes(table, change=change)
    lines = list(require_one_sheet(parse_lines(book, "a.xlsx")))
    assert plain(lines) == contents(table)


def test_a_sheet_whose_cells_are_gone_is_said():
    """A library passes it over: the list would be short by a sheet."""
    book = xlsx_bytes(sheets={"One": [["a"]], "Two": [["b"]]})
    other_name = (b"worksheets/sheet2.xml", b"worksheets/sheet9.xml")
    gone = replaced(book, "xl/_rels/workbook.xml.rels", other_name)
    with pytest.raises(Refused, match="“Two” cannot be read"):
        list(parse_lines(gone, "a.xlsx"))


def test_typed_cells_read_as_the_text_of_a_csv_file():
    typed = [
        [dt.date(2026, 10, 5), dt.datetime(2026, 10, 5, 14, 30), 5, 5.0, 0.1, True],
        [-3, 1e20, dt.time(9, 5), None, "", "x"],
    ]
    texts = [
        ["2026-10-05", "2026-10-05T14:30:00", "5", "5", "0.1", "TRUE"],
        ["-3", "1e+20", "09:05:00", "", "", "x"],
    ]
    assert plain(parse_lines(xlsx_bytes(typed), "a.xlsx")) == contents(texts)


def test_lines_keep_the_numbers_people_see_and_blank_ones_count_for_nothing():
    table = [[], ["a"], [], [], ["b"], *[[" "]] * 30_000]
    for content, name in ((csv_bytes(table), "a.csv"), (xlsx_bytes(table), "a.xlsx")):
        lines = list(parse_lines(content, name))
        assert [(line.number, line.cells) for line in lines] == [
            (2, ("a",)),
            (5, ("b",)),
        ]


def test_the_hint_of_excel_is_no_line():
    lines = list(parse_lines(b"sep=;\r\na;b,c\r\n", "a.csv"))
    assert [(line.number, line.cells) for line in lines] == [(2, ("a", "b,c"))]


# --- what is wrong with a file as a whole ---------------------------------------


def truncated() -> bytes:
    return xlsx_bytes(TABLE)[:-200]


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/a.xml", b" " * (parsing.MAX_UNPACKED_BYTES + 1))
    return out.getvalue()


def repeated_text() -> bytes:
    """One long text, so often that all cells together are too much."""
    text = "x" * 32_000
    return xlsx_bytes([[text] * 40] * 40)


FILES = [
    ("a.csv", b"", "empty", "is empty"),
    ("a.csv", b"x" * (5 * 1024 * 1024 + 1), "too_large", "larger than 5 MB"),
    ("a.ods", b"x", "wrong_kind", ".csv or .xlsx"),
    ("a.csv", b"a\0b", "not_text", "no text"),
    ("a.csv", "a,b".encode("utf-16-le"), "not_text", "no text"),
    ("a.csv", b"a,\x81b", "encoding", "neither UTF-8"),
    ("a.csv", b"\xff\xfea", "encoding", "neither UTF-8"),
    ("a.csv", b'a,b\n1,2\n3,"4\n5,6\n', "unclosed_quote", "Line 3: a quote"),
    ("a.csv", b'a,b\n1,"2" x\n', "broken_quote", "Line 2: text follows"),
    ("a.csv", b"x\n" * 20_001, "too_many_lines", "20,000 lines"),
    ("a.xlsx", b"PK\3\4 nothing", "broken_workbook", "cannot be read"),
    ("a.xlsx", truncated(), "broken_workbook", "cannot be read"),
    ("a.xlsx", with_empty_fill(xlsx_bytes(TABLE)), "broken_workbook", "cannot be"),
    ("a.xlsx", strict(xlsx_bytes(TABLE)), "strict_workbook", "“Strict Open XML”"),
    ("a.xlsx", bomb(), "unpacks_too_large", "unpacks to more"),
    (
        "a.xlsx",
        replaced(xlsx_bytes(TABLE), "xl/worksheets/sheet1.xml", (b'r="A1"', b'r="?"')),
        "broken_workbook",
        "cannot be read",
    ),
    (
        "a.xlsx",
        xlsx_bytes(sheets={f"S{n}": [["a"]] for n in range(31)}),
        "too_many_sheets",
        "30 sheets",
    ),
    ("a.xlsx", repeated_text(), "too_much_text", "too much text"),
]


@pytest.mark.parametrize(
    ("name", "content", "code", "sentence"), FILES, ids=[row[2] for row in FILES]
)
def test_a_file_that_is_not_read_has_a_code_and_a_sentence(
    name, content, code, sentence
):
    with pytest.raises(Refused) as refusal:
        list(lines_of(content, name))
    assert refusal.value.code == code
    assert sentence in refusal.value.messages[0]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_too_many_columns_are_never_cut_off(kind):
    table = [["a"], [""] * 50 + ["lost"]]
    content = csv_bytes(table) if kind == "csv" else xlsx_bytes(table)
    with pytest.raises(Refused, match="Line 2 has more than 50 columns") as refusal:
        list(parse_lines(content, f"a.{kind}"))
    assert refusal.value.code == "too_many_columns"


# --- what is wrong with one cell ------------------------------------------------


def faults(content: bytes, name: str = "a.xlsx") -> list[tuple[str, str]]:
    """Places and codes of all faults of a file."""
    return [
        (str(line.place(fault.column)), fault.code)
        for line in parse_lines(content, name)
        for fault in line.faults
    ]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_error_values_and_long_cells_are_faults_of_both_kinds(kind):
    table = [["a", "b"], ["1", "#N/A"], ["x" * 32_768, ""]]
    if kind == "xlsx":  # more than a workbook may hold
        table[2][0] = "y" * 32_767
        content = replaced(xlsx_bytes(table), "*", (b"y" * 32_767, b"y" * 32_768))
    else:
        content = csv_bytes(table)
    sheet = "sheet “List”, " if kind == "xlsx" else ""
    assert faults(content, f"a.{kind}") == [
        (f"{sheet}line 2, column B", "error_value"),
        (f"{sheet}line 3, column A", "long_cell"),
    ]


def test_a_formula_without_its_value_is_a_fault_and_one_with_it_is_none():
    def add(sheet):
        sheet["B2"] = "=1+1"
        sheet["C3"] = "=A1"

    content = xlsx_bytes([["a", "b", "c"], ["1"]], change=add)
    assert faults(content) == [
        ("sheet “List”, line 2, column B", "formula_without_value"),
        ("sheet “List”, line 3, column C", "formula_without_value"),
    ]
    saved = replaced(
        content,
        "xl/worksheets/sheet1.xml",
        (b"<f>1+1</f><v></v>", b"<f>1+1</f><v>2</v>"),
        (b"<f>1+1</f><v />", b"<f>1+1</f><v>2</v>"),
        (b"<f>1+1</f><v/>", b"<f>1+1</f><v>2</v>"),
    )
    assert [place for place, _ in faults(saved)] == ["sheet “List”, line 3, column C"]
    assert list(parse_lines(saved, "a.xlsx"))[1].cells == ("1", "2")


def test_merged_cells_are_a_fault_of_every_line_they_touch():
    def merge(sheet):
        sheet.merge_cells("A2:A3")

    table = [["a", "b"], ["1", "x"], ["", "y"], ["2", "z"]]
    assert faults(xlsx_bytes(table, change=merge)) == [
        ("sheet “List”, line 2, column A", "merged_cells"),
        ("sheet “List”, line 3, column A", "merged_cells"),
    ]


def test_hidden_and_further_sheets_are_named():
    def hide(sheet):
        sheet.sheet_state = "hidden"

    book = {"One": [["a"]], "Two": [["b"]]}
    with pytest.raises(Refused, match="“Two” holds lines too") as refusal:
        list(require_one_sheet(parse_lines(xlsx_bytes(sheets=book), "a.xlsx")))
    assert refusal.value.code == "several_sheets"
    hidden = xlsx_bytes(sheets=book, change=hide)
    with pytest.raises(Refused, match="“One” is hidden") as refusal:
        list(require_one_sheet(parse_lines(hidden, "a.xlsx")))
    assert refusal.value.code == "hidden_sheet"
    empty = xlsx_bytes(sheets={"One": [["a"]], "Two": []})
    assert len(list(require_one_sheet(parse_lines(empty, "a.xlsx")))) == 1


def test_a_number_may_be_a_day_that_nobody_formatted():
    assert number_as_day("46300") == dt.date(2026, 10, 5)
    for text in ("2026", "4630", "99999", "46300.5", "٤٦٣٠٠", ""):
        assert number_as_day(text) is None


# --- a process of its own -------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_upload_is_parsed_in_this_process(kind, monkeypatch):
    content = csv_bytes(TABLE) if kind == "csv" else xlsx_bytes(TABLE)
    expected = plain(parse_lines(content, f"a.{kind}"))

    def fail(*args):
        raise AssertionError("parsed in this process")

    monkeypatch.setattr(parsing, "records", fail)
    assert plain(lines_of(content, f"a.{kind}")) == expected


def test_a_reader_that_ends_early_is_no_short_file(monkeypatch):
    little = replace(spreadsheets.SHEETS, memory=2_000_000)
    monkeypatch.setattr(spreadsheets, "SHEETS", little)
    lines = b"account,day\n" * 200_000
    with pytest.raises(Refused, match="too much time or memory") as refusal:
        list(lines_of(lines, "a.csv"))
    assert refusal.value.code == "too_heavy"


def test_nothing_else_reads_sheets():
    """Only the reader opens a workbook or takes CSV apart; our own files apart."""
    ours = {
        "controls/spreadsheets/parsing.py",
        "controls/reference/shipped_files.py",
        "controls/management/commands/build_reference.py",
        "evidence/artifacts/coverage_proposals.py",
        "evidence/requirements/from_templates.py",
        "evidence/requirements/join_offers.py",
    }
    readers = set()
    for folder in ("controls", "evidence", "srm_project"):
        for path in (project.BASE_DIR / folder).rglob("*.py"):
            names = {
                getattr(node, "attr", None) or getattr(node, "name", None)
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, (ast.Attribute, ast.alias))
            }
            text = path.read_text()
            if "load_workbook" in names or "csv.reader" in text or "DictReader" in text:
                readers.add(str(path.relative_to(project.BASE_DIR)))
    assert readers <= ours


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["a.csv", "a.xlsx"]))
def test_any_bytes_are_read_or_refused(content, name):
    try:
        lines = list(parse_lines(content, name))
    except Refused as refusal:
        assert refusal.code
        assert refusal.messages[0].endswith(".")
        return
    assert all(isinstance(line, Line) and line.cells for line in lines)


def test_a_preview_cuts_and_says_so():
    limits = Limits(max_lines=2, max_columns=2, max_cell=3, preview=True)
    table = [["abcd", "b", "c"], ["1"], ["2"]]
    for content, name in ((csv_bytes(table), "a.csv"), (xlsx_bytes(table), "a.xlsx")):
        records = list(read_records(content, name, limits))
        assert [r[2] for r in records if r[0] == "line"] == [["abc", "b"], ["1"]]
        assert sorted(r[1] for r in records if r[0] == "cut") == [
            "cells",
            "columns",
            "lines",
        ]
