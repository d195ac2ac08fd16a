"""Files with a list that says what each proves: seen first, then all or nothing."""

from __future__ import annotations

import datetime as dt
import html
import io
from pathlib import Path

import pytest
import time_machine
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from controls import clock
from controls.errors import Refused
from controls.models import AuditEvent
from controls.spreadsheets import parse_lines
from evidence.models import Evidence, EvidenceLink
from evidence.submissions import bulk_list
from evidence.views.once import SAME_AGAIN
from tests.evidence import house as houses
from tests.evidence.files.test_refuse_bad_content import HTML
from tests.evidence.house import House, file
from tests.one_day import TODAY
from tests.sheets import csv_bytes, strict, with_empty_fill, xlsx_bytes

URL = "/systems/shop/upload/"


@pytest.fixture
def store_folder(settings, tmp_path: Path) -> Path:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return tmp_path


@pytest.fixture
def house(db, store_folder) -> House:
    found = houses.build()
    for ref_id in ("cm-8", "si-2"):
        found.requirement(ref_id)
    return found


def listed(*rows: str) -> bytes:
    return "\n".join(["file,control,performed_on,title", *rows]).encode()


def send(client, body: bytes, *files, name: str = "list.csv"):
    return client.post(URL, {"list": file(name, body), "files": list(files)})


def good() -> tuple[bytes, list]:
    rows = [
        f"a.csv,CM-8,{TODAY},Inventory",
        f"a.csv,si-2,{TODAY},Inventory",
        f"b.txt,SI-02,{TODAY},Patches",
    ]
    return listed(*rows), [file("a.csv", b"a,b\n"), file("b.txt", b"done")]


def test_it_is_seen_first_and_recorded_when_confirmed(client, house):
    client.force_login(house.alice)
    body, files = good()
    answer = send(client, body, *files)
    assert answer.status_code == 200
    assert not Evidence.objects.exists()
    assert [len(each.requirements) for each in answer.context["plan"].planned] == [2, 1]
    confirmed = client.post(f"{URL}confirm/", {"token": answer.context["token"]})
    assert confirmed.status_code == 302
    assert Evidence.objects.count() == 2
    labels = {link.implementation.control.label for link in EvidenceLink.objects.all()}
    assert labels == {"CM-8", "SI-2"}
    assert AuditEvent.objects.filter(verb="evidence.submitted").count() == 3


def test_a_sheet_works_like_a_list(client, house):
    book, out = Workbook(), io.BytesIO()
    book.active.append(["File", "Control", "Performed on", "Title"])
    book.active.append(["a.txt", "CM-8", TODAY, "From a sheet"])
    book.save(out)
    client.force_login(house.alice)
    answer = send(client, out.getvalue(), file("a.txt"), name="list.xlsx")
    (planned,) = answer.context["plan"].planned
    assert planned.submission.title == "From a sheet"
    assert planned.submission.performed_on == TODAY


def test_everything_wrong_is_named_by_line_and_nothing_is_kept(
    client, house, store_folder
):
    client.force_login(house.alice)
    tomorrow = TODAY + dt.timedelta(days=1)
    body = listed(
        "missing.txt,CM-8,2026-10-31,x",
        "a.txt,XX-99,2026-10-31,x",
        "a.txt,CM-8,31.10.2026,x",
        f"a.txt,CM-8,{tomorrow},x",
        "a.txt,PE-3,,x",
    )
    answer = send(client, body, file("a.txt"), file("b.txt", b"unlisted"))
    assert answer.status_code == 422
    said = {(e.number, e.column) for e in answer.context["plan"].errors}
    assert {
        (2, "file"),
        (3, "control"),
        (4, "performed_on"),
        (5, "performed_on"),
        (6, "performed_on"),
        (0, "file"),
    } <= said
    assert not Evidence.objects.exists()
    assert not [each for each in store_folder.rglob("*") if each.is_file()]


@pytest.mark.parametrize(
    ("name", "body", "sentence"),
    [
        ("list.csv", b"file,title\n", "lacks the column control and performed_on"),
        ("list.csv", b"\xff\xfe\x00", "neither UTF-8"),
        ("list.csv", b'file,control,performed_on\n"a', "Line 2: a quote is opened"),
        ("list.xlsx", b"PK no", "not the kind of file"),
        ("list.txt", b"x", "ends in .csv or .xlsx"),
    ],
)
def test_a_list_that_cannot_be_read_is_said(client, house, name, body, sentence):
    client.force_login(house.alice)
    answer = send(client, body, file("a.txt"), name=name)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()


def test_hostile_files_are_refused_by_name(client, house):
    client.force_login(house.alice)
    body = listed(f"a.pdf,CM-8,{TODAY},x")
    answer = send(client, body, file("a.pdf", HTML))
    assert answer.status_code == 400
    assert "“a.pdf” is not the PDF" in answer.content.decode()


def test_a_control_of_another_team_is_an_error_of_its_row(client, house):
    client.force_login(house.bob)
    body, files = good()
    answer = send(client, body, *files)
    assert answer.status_code == 422
    assert "is for Platform to prove" in answer.content.decode()


def test_a_preview_is_confirmed_by_its_author_within_the_hour(client, house):
    client.force_login(house.alice)
    body, files = good()
    token = send(client, body, *files).context["token"]
    for name in ("bob", "olivia"):
        client.force_login(house.people[name])
        assert client.post(f"{URL}confirm/", {"token": token}).status_code == 409
    client.force_login(house.alice)
    assert client.post(f"{URL}confirm/", {"token": token + "x"}).status_code == 409
    with time_machine.travel(clock.now() + dt.timedelta(minutes=61)):
        client.force_login(house.alice)
        assert client.post(f"{URL}confirm/", {"token": token}).status_code == 409
    assert not Evidence.objects.exists()


def test_what_fails_at_the_end_records_nothing(client, house, settings):
    client.force_login(house.alice)
    body, files = good()
    token = send(client, body, *files).context["token"]
    settings.TEAM_FILES_PER_DAY = 1
    assert client.post(f"{URL}confirm/", {"token": token}).status_code == 429
    assert not Evidence.objects.exists()


@pytest.mark.parametrize(
    ("name", "status"), [("rita", 403), ("audrey", 403), ("ray", 403), ("mallory", 404)]
)
def test_others_bring_nothing(client, house, name, status):
    client.force_login(house.people[name])
    body, files = good()
    assert client.get(URL).status_code == status
    assert send(client, body, *files).status_code == status
    assert client.post(f"{URL}confirm/", {"token": "x"}).status_code == status


HEADING = ["file", "control", "performed_on", "title"]
ROWS = [["a.txt", "CM-8", str(TODAY), "Inventory"]]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (strict(xlsx_bytes([HEADING, *ROWS])), "“Excel Workbook (.xlsx)”"),
        (with_empty_fill(xlsx_bytes([HEADING, *ROWS])), "cannot be read as an XLSX"),
        (xlsx_bytes(sheets={"A": [HEADING, *ROWS], "B": ROWS}), "Sheet “B” holds"),
        (xlsx_bytes([["My list"], HEADING, *ROWS]), "Line 2 names the columns"),
        (xlsx_bytes([[*HEADING, "file"], *ROWS]), "Two columns are called “file”"),
        (xlsx_bytes([]), "The list has no lines."),
    ],
    ids=["strict", "empty fill", "two sheets", "title first", "twice", "empty"],
)
def test_a_workbook_that_is_no_list_is_said(client, house, content, sentence):
    client.force_login(house.alice)
    answer = send(client, content, file("a.txt", b"proof"), name="list.xlsx")
    assert answer.status_code == 400
    assert sentence in html.unescape(answer.content.decode())
    assert not Evidence.objects.exists()


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_cell_of_a_list_is_lost_without_a_word(client, house, kind):
    rows = [
        ["a.txt", "CM-8", "46300", "Inventory"],
        ["a.txt", "CM-8", str(TODAY), "#N/A"],
        ["a.txt", "CM-8", str(TODAY), "Inventory", "lost"],
    ]
    table = [HEADING, *rows]
    content = csv_bytes(table) if kind == "csv" else xlsx_bytes(table)
    client.force_login(house.alice)
    answer = send(client, content, file("a.txt", b"proof"), name=f"list.{kind}")
    assert answer.status_code == 422
    errors = {
        (error.number, error.column): error.text
        for error in answer.context["plan"].errors
    }
    assert "a workbook means 2026-10-05" in errors[2, "performed_on"]
    assert "the error #N/A" in errors[3, "title"]
    assert errors[4, "E"] == "It has a value but no heading."


def test_the_list_to_fill_in_can_be_read_back(client, house):
    client.force_login(house.alice)
    for kind in ("csv", "xlsx"):
        answer = client.get("/upload-list/", {"format": kind})
        assert f"evidence-list.{kind}" in answer.headers["Content-Disposition"]
        (row,) = bulk_list.read(io.BytesIO(answer.content), f"list.{kind}")
        assert row.number == 2
        assert bulk_list.control_of(row) == "cm-8"
        assert bulk_list.submission_of(row, []) is not None


@settings(deadline=None)  # the first workbook takes a while
@given(st.binary(max_size=300), st.sampled_from(["list.csv", "list.xlsx"]))
def test_whatever_is_sent_as_a_list_is_read_or_refused(body, name):
    try:
        rows = bulk_list.rows_of(parse_lines(body, name, bulk_list.LIMITS))
    except Refused:
        return
    errors: list[bulk_list.BulkRowError] = []
    for row in rows:
        bulk_list.submission_of(row, errors)
        bulk_list.control_of(row)


def test_five_hundred_files_come_at_once(client, house):
    names = [f"f{number}.txt" for number in range(500)]
    body = listed(*[f"{name},cm-8,{TODAY},{name}" for name in names])
    client.force_login(house.alice)
    answer = send(client, body, *[file(name, name.encode()) for name in names])
    assert answer.status_code == 200
    assert len(answer.context["plan"].planned) == 500
    page = client.post(
        "/systems/shop/upload/confirm/", {"token": answer.context["token"]}
    )
    assert page.status_code == 302
    assert Evidence.objects.count() == 500


@pytest.mark.parametrize("address", ["/work/", "/systems/shop/requirements/"])
def test_many_files_are_reached_from_where_work_is_seen(client, house, address):
    for name, there in (("alice", True), ("ray", False)):
        client.force_login(house.people[name])
        page = client.get(address).content.decode()
        assert ('href="/systems/shop/upload/"' in page) is there


def test_a_list_that_lacks_only_files_need_not_be_sent_again(client, house):
    client.force_login(house.alice)
    missing = send(client, listed(f"a.txt,cm-8,{TODAY},A"), file("b.txt", b"b"))
    assert "data-list-is-right" in missing.content.decode()
    wrong = send(client, listed("a.txt,cm-8,soon,A"), file("a.txt", b"a"))
    assert "data-list-is-right" not in wrong.content.decode()


def test_a_folder_of_ten_thousand_files_is_refused_while_it_comes(
    client, house, store_folder
):
    client.force_login(house.alice)
    files = [file(f"f{number}.txt", b"x") for number in range(10_000)]
    answer = send(client, listed(f"f1.txt,cm-8,{TODAY},One"), *files)
    assert answer.status_code == 413
    assert "More than 501 files at a time" in answer.content.decode()
    assert [each for each in store_folder.rglob("*") if each.is_file()] == []
    sent = {"list": file("list.csv", b"x"), "files": files}
    refused = client.post(f"{API}plan/", sent)
    assert (refused.status_code, refused.json()["title"]) == (413, "Too large")


API = "/api/v1/systems/shop/uploads/"


def test_the_api_plans_and_confirms(client, house):
    client.force_login(house.alice)
    body, files = good()
    planned = client.post(
        f"{API}plan/", {"list": file("list.csv", body), "files": files}
    )
    assert planned.status_code == 200, planned.content
    ids = [each["control_ids"] for each in planned.json()["planned"]]
    assert ids == [["cm-8", "si-2"], ["si-2"]]
    assert not Evidence.objects.exists()
    said = {"token": planned.json()["token"]}
    done = client.post(f"{API}confirm/", said, content_type="application/json")
    assert done.status_code == 201
    assert {row["control_id"] for row in done.json()} == {"cm-8", "si-2"}
    assert Evidence.objects.count() == 2


def test_the_api_says_what_is_wrong_by_row(client, house):
    client.force_login(house.alice)
    body = listed(f"a.csv,zz-9,{TODAY},One")
    sent = {"list": file("list.csv", body), "files": [file("a.csv", b"a,b\n")]}
    answer = client.post(f"{API}plan/", sent)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["row"], error["column"]) == (2, "control")
    assert answer.json()["token"] == ""
    sent = {"list": file("list.csv", body)}
    assert "files" in client.post(f"{API}plan/", sent).json()["errors"]


@pytest.mark.parametrize(("name", "status"), [("rita", 403), ("mallory", 404)])
def test_the_api_takes_nothing_from_others(client, house, name, status):
    client.force_login(house.people[name])
    body, files = good()
    sent = {"list": file("list.csv", body), "files": files}
    assert client.post(f"{API}plan/", sent).status_code == status


def test_a_preview_confirmed_again_makes_nothing_more(client, house):
    """RE-03: a double click, back and confirm, or the other door: one effect."""
    client.force_login(house.alice)
    body, files = good()
    token = send(client, body, *files).context["token"]
    said = {"token": token}
    first = client.post(f"{URL}confirm/", said)
    made = set(EvidenceLink.objects.values_list("uuid", flat=True))
    again = client.post(f"{URL}confirm/", said)
    assert (again.status_code, again["Location"]) == (302, first["Location"])
    assert SAME_AGAIN in client.get(again["Location"]).content.decode()
    other_door = client.post(f"{API}confirm/", said, content_type="application/json")
    assert other_door.status_code == 201
    assert {row["uuid"] for row in other_door.json()} == {str(uuid) for uuid in made}
    assert set(EvidenceLink.objects.values_list("uuid", flat=True)) == made


def test_what_a_confirmed_preview_made_is_shown_long_after(client, house):
    """The preview holds for an hour, what it made for ever."""
    client.force_login(house.alice)
    body, files = good()
    said = {"token": send(client, body, *files).context["token"]}
    client.post(f"{URL}confirm/", said)
    EvidenceLink.objects.first().withdraw(by=house.alice, reason="Wrong file")
    with time_machine.travel(clock.now() + dt.timedelta(hours=2)):
        client.force_login(house.alice)
        assert client.post(f"{URL}confirm/", said).status_code == 302
    assert EvidenceLink.objects.count() == 3
