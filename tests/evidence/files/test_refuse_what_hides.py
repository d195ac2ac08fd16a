"""Content that a check by its first bytes would miss (UP-03, UP-04, UP-06, UP-08)."""

from __future__ import annotations

import io
import time
from contextlib import suppress

import pikepdf
import pytest

from controls.errors import Refused
from evidence.files.checks import check, files, texts
from evidence.files.names import clean_name
from tests.evidence.files.test_refuse_bad_content import make_pdf, make_word, make_zip

STYLE = '<?xml-stylesheet href="x.xsl" type="text/xsl"?><a/>'
LAUGHS = b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
OUTSIDE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'
TYPES = '<Types><Default Extension="bin" ContentType="application/{}"/></Types>'
MACRO_PART = TYPES.format("vnd.ms-office.vbaProject")


def look(body: bytes, name: str):
    return check(io.BytesIO(body), name)


HIDDEN = {
    "stylesheet far down": (f"<!--{'x' * 9000}-->{STYLE}".encode(), "a.xml"),
    "stylesheet in UTF-16": (STYLE.encode("utf-16"), "a.xml"),
    "page after a mark": ("\ufeff<html><script/>".encode(), "a.txt"),
    "laughs in a document": (make_word(**{"word/x.xml": LAUGHS}), "a.docx"),
    "file in a document": (make_word(**{"word/document.xml": OUTSIDE}), "a.docx"),
    "laughs in a list of relations": (
        make_word(**{"_rels/.rels": LAUGHS}),
        "a.docx",
    ),
    "macros told in UTF-16": (
        make_word(**{"[Content_Types].xml": MACRO_PART.encode("utf-16")}),
        "a.docx",
    ),
    "macros under another name": (
        make_word(**{"_rels/.rels": b'<a><b Type="http://x/2006/vbaProject"/></a>'}),
        "a.docx",
    ),
    "page after a long comment": (f"<!--{'x' * 9000}--><html>".encode(), "a.txt"),
    "page in a comment never closed": (b"<!--" + b"x" * 90_000, "a.txt"),
    "script after many comments": (b"<!---->\n" * 400 + b"<script>", "a.md"),
    "many members that are small": (
        make_zip({f"{n}.txt": b"0" * 900_000 for n in range(60)}),
        "a.zip",
    ),
    "more elements than anybody reads": (
        b"<a>" + b"<b/>" * (texts.MAX_ELEMENTS + 1) + b"</a>",
        "a.xml",
    ),
    "a part that is no XML": (make_word(**{"word/x.xml": b"<a"}), "a.docx"),
}


@pytest.mark.parametrize("case", HIDDEN)
def test_what_hides_is_found_and_refused(case: str) -> None:
    body, name = HIDDEN[case]
    with pytest.raises(Refused, match="Nothing was stored"):
        look(body, name)


RELATIONS = {
    "quotes of the other kind": "<a><b Type='x/attachedTemplate' {}='External'/></a>",
    "picture": '<a><b Type="x/image" Target="//evil/p.png" {}="External"/></a>',
    "letters as numbers": '<a><b Type="x/frame" {}="&#69;xternal"/></a>',
    "a kind nobody knows": '<a><b Type="x/y" {}="External"/></a>',
}


@pytest.mark.parametrize("case", RELATIONS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_whatever_is_loaded_from_elsewhere_is_flagged(case: str, encoding: str) -> None:
    relation = RELATIONS[case].format("TargetMode").encode(encoding)
    found = look(make_word(**{"word/_rels/a.rels": relation}), "a.docx")
    assert found.flags == ("external",)


def test_a_link_to_click_on_is_no_flag() -> None:
    link = b'<a><b Type="x/hyperlink" Target="https://a" TargetMode="External"/></a>'
    assert look(make_word(**{"word/_rels/a.rels": link}), "a.docx").flags == ()


def form(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = pikepdf.Dictionary(XFA=pikepdf.String("<xdp/>"))


def deep(document: pikepdf.Pdf) -> None:
    inner = pikepdf.Dictionary(JS=pikepdf.String("app.alert(1)"))
    for _ in range(60):
        inner = pikepdf.Dictionary(A=inner)
    document.Root.Deep = inner


def test_a_form_with_scripts_as_xml_is_flagged() -> None:
    assert look(make_pdf(form), "a.pdf").flags == ("javascript",)


def test_a_script_cannot_hide_deep_inside() -> None:
    with pytest.raises(Refused, match="too deeply"):
        look(make_pdf(deep), "a.pdf")


@pytest.mark.parametrize("name", ["COM¹.txt", "nul .txt", "CONOUT$", "lpt9", "con.a"])
def test_names_of_devices_are_changed(name: str) -> None:
    assert clean_name(name) == f"_{name}"


@pytest.mark.parametrize("head", [b"<!---->", b"<!--x--> ", b"<?xml?>", b"<!-- --"])
def test_what_begins_like_a_page_a_thousand_times_is_judged_at_once(head) -> None:
    """One expression took for ever, and its worker with it."""
    started = time.process_time()
    with suppress(Refused):
        files.check(io.BytesIO(head * 5000 + b"x"), "a.txt")
    assert time.process_time() - started < 2


@pytest.mark.parametrize("text", ["<!-- note -->\nplain", "# <b>", "<htmlx>", "a <svg"])
def test_a_text_that_speaks_of_pages_is_a_text(text: str) -> None:
    assert look(text.encode(), "a.md").flags == ()
