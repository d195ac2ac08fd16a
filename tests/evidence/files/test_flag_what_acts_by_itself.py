"""UP-03, UP-04: what acts by itself when opened is flagged; two kinds at once, refused.

UP-03: polyglot pictures. UP-04: DDE in Word, Excel and CSV, queries that refresh, PDF
actions that open other files and addresses.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from controls.errors import Refused
from evidence.files.checks import check, texts
from tests.evidence.files.test_refuse_bad_content import (
    make_pdf,
    make_picture,
    make_sheet,
    make_word,
    make_zip,
)
from tests.hostile import HEADING, workbook

PNG, JPEG = make_picture("PNG"), make_picture("JPEG")
PAGE = b"<script>alert(1)</script>"
W = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def flags(body: bytes, name: str) -> tuple[str, ...]:
    return check(io.BytesIO(body), name).flags


def with_chunk(kind: bytes, note: bytes) -> bytes:
    """The PNG with one more chunk after its header."""
    check_sum = struct.pack(">I", zlib.crc32(kind + note))
    chunk = struct.pack(">I", len(note)) + kind + note + check_sum
    return PNG[:33] + chunk + PNG[33:]


def with_segment(marker: int, note: bytes) -> bytes:
    """The JPEG with one more segment at its beginning."""
    return JPEG[:2] + struct.pack(">BBH", 0xFF, marker, len(note) + 2) + note + JPEG[2:]


TWO_AT_ONCE = {
    "archive after a PNG": (PNG + make_zip({"a.txt": b"x"}), "a.png"),
    "archive after a JPEG": (JPEG + make_zip({"a.txt": b"x"}), "a.jpg"),
    "archive in a chunk": (with_chunk(b"prVt", make_zip({"a.txt": b"x"})), "a.png"),
    "PDF in a comment": (with_segment(0xFE, b"%PDF-1.7\n1 0 obj"), "a.jpg"),
    "PDF in a chunk": (with_chunk(b"tEXt", b"a\0%PDF-1.7"), "a.png"),
    "page in a chunk": (with_chunk(b"tEXt", b"Comment\0" + PAGE), "a.png"),
    "page in a comment": (with_segment(0xFE, b"*/" + PAGE), "a.jpg"),
    "page after the end": (JPEG + PAGE, "a.jpeg"),
    "program after the end": (PNG + b"MZ\x90\0", "a.png"),
    "PHP in what a camera notes": (with_segment(0xE1, b"Exif\0<?php x()"), "a.jpg"),
}


@pytest.mark.parametrize("case", TWO_AT_ONCE)
def test_a_picture_that_is_something_else_as_well_is_refused(case: str) -> None:
    body, name = TWO_AT_ONCE[case]
    with pytest.raises(Refused, match="at once"):
        flags(body, name)


def test_what_a_picture_carries_after_its_end_is_flagged() -> None:
    """An editor that cuts a picture may leave what it cut off behind its end."""
    assert flags(PNG + zlib.compress(b"what was cut off"), "a.png") == (
        "trailing-bytes",
    )
    assert flags(JPEG + b"SEFHmore", "a.jpg") == ("trailing-bytes",)


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (with_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x:xmpmeta/>"), "a.png"),
        (with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"), "a.jpg"),
        (JPEG + JPEG, "a.jpg"),  # as cameras keep a second view
        (PNG + b"\0" * 8, "a.png"),
    ],
)
def test_what_cameras_and_editors_write_is_no_flag(body: bytes, name: str) -> None:
    assert flags(body, name) == ()


def runs(*pieces: bytes) -> bytes:
    """A Word document whose field code lies in so many pieces."""
    mark = b'<w:r><w:fldChar w:fldCharType="%s"/></w:r>'
    code = b"".join(b"<w:r><w:instrText>%s</w:instrText></w:r>" % p for p in pieces)
    body = mark % b"begin" + code + mark % b"separate" + mark % b"end"
    return make_word(**{"word/document.xml": document(body)})


def document(body: bytes) -> bytes:
    return b'<w:document xmlns:w="%s"><w:p>%s</w:p></w:document>' % (W, body)


NESTED = (
    b'<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
    b'<w:r><w:fldChar w:fldCharType="begin"/></w:r>'
    b"<w:r><w:instrText> QUOTE 68 68 69 65 85 84 79 </w:instrText></w:r>"
    b'<w:r><w:fldChar w:fldCharType="end"/></w:r>'
    b'<w:r><w:fldChar w:fldCharType="end"/></w:r>'
)
SIMPLE = b'<w:fldSimple w:instr=" ddeauto c:\\\\cmd.exe &quot;/k calc&quot;"/>'
WIDE = document(SIMPLE).decode().encode("utf-16")
WORDS = {
    "in one piece": (runs(b' DDEAUTO c:\\\\cmd.exe "/k calc"'), ("dde",)),
    "in pieces": (runs(b" D", b"DE", b" excel x"), ("dde",)),
    "simple": (make_word(**{"word/document.xml": document(SIMPLE)}), ("dde",)),
    "in UTF-16": (make_word(**{"word/document.xml": WIDE}), ("dde",)),
    "in a footer": (make_word(**{"word/footer1.xml": document(SIMPLE)}), ("dde",)),
    "computed": (make_word(**{"word/document.xml": document(NESTED)}), ("dde",)),
    "picture": (runs(b' INCLUDEPICTURE "http://evil.example/a.png"'), ("external",)),
    "link": (runs(b' LINK Excel.Sheet "\\\\\\\\evil\\\\a.xlsx"'), ("external",)),
    "page number": (runs(b" PAGE "), ()),
    "contents": (runs(b' TOC \\o "1-3" '), ()),
}


@pytest.mark.parametrize("case", WORDS)
def test_fields_that_call_or_load_are_flagged(case: str) -> None:
    body, expected = WORDS[case]
    assert flags(body, "a.docx") == expected


def cell(formula: bytes) -> bytes:
    return HEADING + b'<row r="2"><c r="A2"><f>%s</f><v>1</v></c></row>' % formula


LINKS = (
    b'<externalLink xmlns="x"><ddeLink ddeService="cmd" ddeTopic="/c"/></externalLink>'
)
QUERY = (
    b'<connections xmlns="x"><connection id="1" %s><webPr url="http://evil.example"/>'
    b"</connection></connections>"
)
SHEETS = {
    "formula": (workbook(cell(b"cmd|'/c calc'!A0")), ("dde",)),
    "bar as a number": (workbook(cell(b"cmd&#124;'/c calc'!A0")), ("dde",)),
    "bar in a text": (workbook(cell(b'"a|b!"&amp;A1')), ()),
    "web service": (workbook(cell(b'_xlfn.WEBSERVICE("http://x")')), ("external",)),
    "sum": (workbook(cell(b"SUM(A1:A9)")), ()),
}
PARTS = {
    "link to a program": ("xl/externalLinks/externalLink1.xml", LINKS, ("dde",)),
    "query at the opening": (
        "xl/connections.xml",
        QUERY % b'refreshOnLoad="1"',
        ("refresh",),
    ),
    "query every hour": ("xl/connections.xml", QUERY % b'interval="60"', ("refresh",)),
    "query when asked": ("xl/connections.xml", QUERY % b'refreshOnLoad="0"', ()),
    "table of a query": (
        "xl/queryTables/queryTable1.xml",
        b'<queryTable xmlns="x" refreshOnLoad="true"/>',
        ("refresh",),
    ),
}


@pytest.mark.parametrize("case", SHEETS)
def test_formulas_that_call_or_load_are_flagged(case: str) -> None:
    body, expected = SHEETS[case]
    assert flags(body, "a.xlsx") == expected


@pytest.mark.parametrize("case", PARTS)
def test_links_and_queries_of_a_workbook_are_flagged(case: str) -> None:
    path, part, expected = PARTS[case]
    out = io.BytesIO(make_sheet())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr(path, part)
    assert flags(out.getvalue(), "a.xlsx") == expected


CALLS = {
    b"a,=cmd|' /C calc'!A0\n": ("dde",),
    b"a;\"=cmd|' /C calc, x'!A0\"\n": ("dde",),
    b"-2+3+cmd|' /C calc'!D2\n": ("dde",),
    b"@SUM(1+1)*cmd|' /C calc'!A0\n": ("dde",),
    b"a,b\n+MSEXCEL|'\\..\\..\\cmd.exe /c calc'!x\n": ("dde",),
    b"x" * texts.CHUNK + b"\n=cmd|' /C calc'!A0\n": ("dde",),
    b"x" * (texts.CHUNK - 4) + b"\n=cmd|' /C calc'!A0\n": ("dde",),
    b"a|b,-5,really!\n": (),
    b"=1+1,note|other\n": (),
    b"tel,+49 30 1234\n": (),
}


@pytest.mark.parametrize("body", CALLS)
def test_cells_of_a_table_that_call_a_program_are_flagged(body: bytes) -> None:
    assert flags(body, "a.csv") == CALLS[body]
    assert flags(body.decode().encode("utf-16"), "a.csv") == CALLS[body]
    assert flags(body, "a.txt") == ()


def uri(**more) -> Dictionary:
    return Dictionary(S=Name.URI, URI=String("http://evil.example"), **more)


def at_opening(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = uri()


def on_a_page(document: pikepdf.Pdf) -> None:
    document.pages[0].AA = Dictionary(O=uri())


def as_the_next(document: pikepdf.Pdf) -> None:
    named = Dictionary(S=Name.Named, N=Name.NextPage, Next=Array([uri()]))
    document.Root.OpenAction = document.make_indirect(named)


def in_a_circle(document: pikepdf.Pdf) -> None:
    action = document.make_indirect(Dictionary(S=Name.Named, N=Name.NextPage))
    action.Next = action
    document.Root.OpenAction = action


def other_file(document: pikepdf.Pdf) -> None:
    action = Dictionary(S=Name.GoToR, F=String("\\\\\\\\evil\\\\a.pdf"), D=Array([0]))
    document.pages[0].Annots = Array([Dictionary(Subtype=Name.Link, A=action)])


def elsewhere(document: pikepdf.Pdf) -> None:
    stream = document.make_stream(b"")
    stream.F = Dictionary(FS=Name.URL, F=String("http://evil.example"))
    document.Root.Extra = stream


def sent(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.SubmitForm, F=String("http://x"))


def imported(document: pikepdf.Pdf) -> None:
    document.Root.OpenAction = Dictionary(S=Name.ImportData, F=String("a.fdf"))


def link(document: pikepdf.Pdf) -> None:
    document.pages[0].Annots = Array([Dictionary(Subtype=Name.Link, A=uri())])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (at_opening, ("other-file",)),
        (on_a_page, ("other-file",)),
        (as_the_next, ("other-file",)),
        (in_a_circle, ("other-file",)),
        (other_file, ("other-file",)),
        (elsewhere, ("other-file",)),
        (sent, ("form-action",)),
        (imported, ("form-action",)),
        (link, ()),
    ],
)
def test_what_a_pdf_opens_by_itself_is_flagged_and_a_link_is_not(
    change, expected
) -> None:
    assert flags(make_pdf(change), "a.pdf") == expected
