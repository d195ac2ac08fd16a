"""The PDF: tagged (PDF/UA-1), exceptions first, nothing typed is markup (IN-07)."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import pikepdf
import pypdfium2
import pytest

from evidence.exports.jobs import make_export, open_file, request_export
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


def test_the_report_and_the_plan_judge_as_the_api_does(house, client) -> None:
    """AU-10: class, both halves and verdict of every control, for the same clocks."""
    export = request_export(house.system, by=house.ray, on=TODAY, format_name="pdf")
    make_export(export.pk)
    export.refresh_from_db()
    known_at = export.known_at.isoformat()
    with open_file(export) as file:
        text = " ".join(pages(file.read()))
    everything.change_everything(house)
    plan = json.loads(exported(house, "oscal-ssp", known_at=export.known_at))
    requirements = {
        row["control-id"]: {prop["name"]: prop["value"] for prop in row["props"]}
        for row in plan["system-security-plan"]["control-implementation"][
            "implemented-requirements"
        ]
    }
    client.force_login(house.ray)
    answer = client.get(
        "/api/v1/systems/shop/controls/", {"on": TODAY, "known_at": known_at}
    ).json()
    keys = ("responsibility", "aws_half", "customer_half", "verdict")
    assert len(answer["results"]) == len(requirements) == 4
    for row in answer["results"]:
        codes = [row[key] for key in keys]
        words = [code.replace("_", " ") for code in codes]
        assert f" {row['label']} {row['title']} {' '.join(words)} " in text
        props = requirements[row["control_id"]]
        named = ("responsibility", "provider-half", "customer-half", "verdict")
        assert [props[name] for name in named] == codes
