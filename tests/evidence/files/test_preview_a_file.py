"""Evidence is looked at in the browser without anything of it running."""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import transaction
from django.urls import reverse
from openpyxl.chart import BarChart
from openpyxl.comments import Comment
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from controls.models import AuditEvent
from evidence.models import EvidenceFile
from evidence.submissions.uploads import lock_blobs, store
from tests.evidence import house as houses
from tests.evidence.files.test_refuse_bad_content import (
    GOOD,
    make_pdf,
    make_picture,
    make_sheet,
)
from tests.evidence.house import House, submitted
from tests.sheets import csv_bytes, xlsx_bytes

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> Path:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return tmp_path


@pytest.fixture
def house(store_folder) -> House:
    return houses.build()


def given(house: House, name: str, body: bytes) -> EvidenceFile:
    """A file of alice's evidence with these bytes."""
    revision = submitted(house, f"beside {name}").revision
    upload = store(name, [body])
    with transaction.atomic():
        blob = lock_blobs([upload])[upload.stored.sha256]
    return EvidenceFile.objects.create(
        revision=revision, blob=blob, name=name, position=2
    )


def secret() -> bytes:
    """A picture that carries a note along."""
    out, note = io.BytesIO(), PngInfo()
    note.add_text("Comment", "taken at home")
    Image.new("RGB", (40, 30), "white").save(out, "PNG", pnginfo=note)
    return out.getvalue()


def page(client, file: EvidenceFile, **query):
    return client.get(reverse("evidence:preview", args=[file.uuid]), query)


def test_text_and_tables_are_shown_as_text(client, house):
    client.force_login(house.rita)
    shown = page(client, given(house, "a.txt", b"1: <script>alert(1)</script>"))
    assert "&lt;script&gt;" in shown.content.decode()
    table = page(client, given(house, "a.csv", b"user;state\nada;<b>gone\n"))
    cells = re.findall(r"<td>(.*?)</td>", table.content.decode())
    assert cells == ["user", "state", "ada", "&lt;b&gt;gone"]
    sheet = page(client, given(house, "a.xlsx", make_sheet()))
    assert "<td>removed on</td>" in sheet.content.decode()
    assert AuditEvent.objects.filter(verb="evidence.previewed").count() == 3


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.png", secret()),
        ("a.jpg", make_picture("JPEG")),
        ("a.pdf", make_pdf()),
    ],
)
def test_pictures_and_pages_are_drawn_anew(client, house, name, body):
    client.force_login(house.rita)
    file = given(house, name, body)
    address = reverse("evidence:picture", args=[file.uuid])
    assert address in page(client, file).content.decode()
    answer = client.get(address)
    assert answer["Content-Type"] == "image/png"
    assert answer["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert answer.content != body
    assert b"taken at home" not in answer.content
    assert Image.open(io.BytesIO(answer.content)).format == "PNG"


def test_other_kinds_are_named_with_their_digest(client, house):
    client.force_login(house.rita)
    file = given(house, "a.docx", GOOD["a.docx"])
    shown = page(client, file).content.decode()
    assert file.blob.sha256 in shown
    assert "not shown here" in shown
    picture = reverse("evidence:picture", args=[file.uuid])
    assert client.get(picture).status_code == 404


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_shown_in_whatever_it_was_saved(client, house, encoding):
    client.force_login(house.rita)
    content = csv_bytes([["user"], ["Müller"]], delimiter=";", encoding=encoding)
    shown = page(client, given(house, "a.csv", content)).content.decode()
    assert "<td>Müller</td>" in shown
    assert "Not shown here" not in shown


def test_what_a_preview_of_a_sheet_leaves_out_is_said(client, house):
    client.force_login(house.rita)

    def change(sheet):
        sheet.sheet_state = "hidden"
        sheet["A1"] = "=B9"

    rows = [["x" * 301, *["y"] * 41], *[["z"]] * 200]
    book = xlsx_bytes(sheets={"Whole": [["a"]], "Long": rows}, change=change)
    file = given(house, "a.xlsx", book)
    first = page(client, file).content.decode()
    assert "Whole (hidden)" in first
    assert "<td>=B9</td>" in first
    assert "Not shown here" not in first
    second = page(client, file, page="2").content.decode()
    for left_out in (
        "lines after the first 200",
        "columns after the first 40",
        "the rest of texts of more than 300 characters",
    ):
        assert left_out in second
    assert page(client, file, page="9").context["drawn"].rows[1][0] == "z"


def test_charts_comments_and_hidden_rows_of_a_workbook_are_shown_or_said(client, house):
    client.force_login(house.rita)

    def change(sheet):
        sheet.row_dimensions[2].hidden = True
        sheet.column_dimensions["B"].hidden = True
        sheet["A1"].comment = Comment("Ask Rita", "Alice")
        chart_sheet = sheet.parent.create_chartsheet("Chart")
        chart_sheet.add_chart(BarChart())

    rows = [["key", "secret"], ["CHG-1", "in a hidden row"], ["CHG-2", "x"]]
    file = given(house, "a.xlsx", xlsx_bytes(rows, change=change))
    shown = page(client, file).content.decode()
    assert "<td>in a hidden row</td>" in shown
    assert "sheets that are charts, pictures, charts and shapes, comments." in shown


@pytest.mark.parametrize("asked", ["0", "-1", "x", "99999999999", "7"])
def test_a_page_that_is_not_there_shows_one_that_is(client, house, asked):
    client.force_login(house.rita)
    answer = page(client, given(house, "a.pdf", make_pdf()), page=asked)
    assert answer.status_code == 200


def test_a_file_that_cannot_be_drawn_is_said(client, house, monkeypatch):
    from evidence.files import previews

    little = replace(previews.DRAW, memory=1_000_000)
    monkeypatch.setattr(previews, "DRAW", little)
    client.force_login(house.rita)
    answer = page(client, given(house, "a.pdf", make_pdf()))
    assert answer.status_code == 422
    assert "cannot be drawn" in answer.content.decode()


def test_other_teams_and_outsiders_find_nothing(client, house):
    file = given(house, "a.png", make_picture("PNG"))
    for name in ("bob", "mallory"):
        client.force_login(house.people[name])
        for route in ("preview", "picture"):
            url = reverse(f"evidence:{route}", args=[file.uuid])
            assert client.get(url).status_code == 404


def test_the_page_of_the_evidence_shows_the_file_when_asked(client, house):
    shown = given(house, "log.txt", b"the first line of it")
    client.force_login(house.rita)
    evidence = reverse("evidence:evidence", args=[shown.revision.evidence.uuid])
    whole = client.get(evidence).content.decode()
    address = reverse("evidence:preview", args=[shown.uuid])
    assert f'hx-get="{address}"' in whole
    assert "the first line of it" not in whole
    assert not AuditEvent.objects.filter(verb="evidence.previewed").exists()
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "the first line of it" in part
    assert "<html" not in part
    assert AuditEvent.objects.filter(verb="evidence.previewed").count() == 1


def packed(**files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("September/", b"")
        for name, content in files.items():
            member = zipfile.ZipInfo(f"September/{name}", (2026, 9, 30, 17, 4, 0))
            archive.writestr(member, content)
    return out.getvalue()


def test_an_archive_lists_its_files_and_shows_them(client, house):
    """UP-03: each is read as it would be by itself, and nothing of it runs."""
    client.force_login(house.rita)
    month = packed(
        **{
            "log.txt": b"1: <script>alert(1)</script>",
            "users.csv": b"user;state\nada;gone\n",
            "screen.png": secret(),
            "notes.docx": GOOD["a.docx"],
            "pages.pdf": make_pdf(),
        }
    )
    file = given(house, "month.zip", month)
    listed = page(client, file).content.decode()
    assert "5 files inside" in " ".join(listed.split())
    link = r'<a class="name"\s+href="[^"?]*\?page=(\d)">(.*?)</a>'
    assert re.findall(link, listed) == [
        ("2", "September/log.txt"),
        ("3", "September/users.csv"),
        ("4", "September/screen.png"),
        ("5", "September/notes.docx"),
        ("6", "September/pages.pdf"),
    ]
    assert listed.count("2026-09-30 17:04") == 5
    text = page(client, file, page="2").content.decode()
    assert "&lt;script&gt;" in text
    assert "File 1 of 5" in text
    assert "<td>ada</td>" in page(client, file, page="3").content.decode()
    picture = reverse("evidence:picture", args=[file.uuid])
    assert f"{picture}?page=4" in page(client, file, page="4").content.decode()
    drawn = client.get(picture, {"page": "4"})
    assert Image.open(io.BytesIO(drawn.content)).format == "PNG"
    assert b"taken at home" not in drawn.content
    assert "is not shown here" in page(client, file, page="5").content.decode()
    assert client.get(picture, {"page": "5"}).status_code == 404
    assert client.get(picture, {"page": "1"}).status_code == 404
    assert f"{picture}?page=6" in page(client, file, page="99").content.decode()


def test_an_archive_turns_over_where_it_stands(client, house):
    """On the reviewer's desk a file of it opens beside the decision."""
    client.force_login(house.rita)
    file = given(house, "month.zip", packed(**{"log.txt": b"the first line"}))
    address = reverse("evidence:preview", args=[file.uuid])
    part = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert 'hx-boost="true"' in part
    assert f'href="{address}?page=2"' in part
    headers = {"HX-Request": "true", "HX-Boosted": "true"}
    turned = client.get(address, {"page": "2"}, headers=headers).content.decode()
    assert "the first line" in turned
    assert "<html" not in turned
    assert "autofocus" in turned


def test_a_file_of_an_archive_that_is_too_large_is_known_by_its_name(client, house):
    client.force_login(house.rita)
    large = io.BytesIO()
    with zipfile.ZipFile(large, "w") as archive:
        archive.writestr("long.txt", b"0123456789abcdef" * 3_200_000)
    file = given(house, "large.zip", large.getvalue())
    assert "51.2 MB" in page(client, file).content.decode()
    assert "is not shown here" in page(client, file, page="2").content.decode()
