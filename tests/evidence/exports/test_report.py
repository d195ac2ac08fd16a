"""The PDF: tagged (PDF/UA-1), exceptions first, nothing typed is markup (IN-07)."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from evidence.models import Artifact
from tests import factories
from tests.evidence.exports import everything
from tests.evidence.exports.everything import exported
from tests.evidence.house import TODAY, House

pytestmark = pytest.mark.django_db(transaction=True)
MARKUP = '#read("/etc/passwd") *bold* $x^2$ <a> =cmd|1 \\'


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return everything.build(settings, tmp_path)


def pages(content: bytes) -> list[str]:
    """The text of each page, with single blanks."""
    document = pypdfium2.PdfDocument(content)
    texts = [page.get_textpage().get_text_range() for page in document]
    return [" ".join(text.split()) for text in texts]


def test_the_cover_says_what_it_is_about(house) -> None:
    cover = pages(exported(house, "pdf"))[0]
    assert "SOC 2 Type II, Firm" in cover
    assert "Shop" in cover
    start, end = house.system.window_start, house.system.window_end
    assert f"{start} to {end}" in cover
    assert str(TODAY) in cover
    assert re.search(r"number \d+", cover)
    assert re.search(r"[0-9a-f]{64}", cover.replace(" ", ""))


def test_exceptions_stand_before_the_tables(house) -> None:
    text = " ".join(pages(exported(house, "pdf"))[2:])
    order = ["Summary", "Exceptions", "Controls by family", "Gaps", "Changes during"]
    places = [text.index(heading) for heading in order]
    assert places == sorted(places)
    assert "CM-8" in text[places[1] : places[2]]
    for label in ("AC-1", "CM-8", "PE-3", "SI-2"):
        assert label in text[places[2] : places[3]]


def test_pages_are_numbered_and_bookmarked_and_tagged(house) -> None:
    content = exported(house, "pdf")
    texts = pages(content)
    for number, text in enumerate(texts, start=1):
        assert f"Page {number} of {len(texts)}" in text
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert pdf.Root.StructTreeRoot
        assert str(pdf.Root.Lang) == "en"
        with pdf.open_outline() as outline:
            titles = " ".join(str(item.title) for item in outline.root)
        assert pdf.open_metadata()["pdfuaid:part"] == "1"
    for heading in ("Summary", "Exceptions", "Controls by family", "Gaps"):
        assert heading in titles


def test_what_people_typed_is_shown_as_they_typed_it(house) -> None:
    """IN-07: no file is read, nothing is set as markup."""
    factories.make_report(Artifact.objects.get(), TODAY, TODAY, label="of a day")
    asked = house.requirement("si-2")
    factories.set_terms(type(asked).objects.filter(pk=asked.pk), title=MARKUP)
    text = " ".join(pages(exported(house, "pdf"))).replace(" ", "")
    assert MARKUP.replace(" ", "") in text
    assert "root:x:" not in text


def test_letters_of_other_scripts_are_set(house) -> None:
    """Not as boxes: the library brings a font that has them."""
    asked = house.requirement("si-2")
    title = everything.ARABIC
    factories.set_terms(type(asked).objects.filter(pk=asked.pk), title=title)
    content = exported(house, "pdf")
    with pikepdf.open(io.BytesIO(content)) as pdf:
        fonts = {
            str(font.BaseFont)
            for page in pdf.pages
            for font in page.Resources.get("/Font", {}).values()
        }
    assert any("DejaVu" in font for font in fonts)
