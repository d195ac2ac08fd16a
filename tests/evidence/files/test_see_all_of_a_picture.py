"""A reviewer sees in the preview what the file shows in any other viewer.

Transparent ink of any colour, pictures of 16 bits, turned photographs and the fields
of a filled form stay visible.
"""

from __future__ import annotations

import io
from pathlib import Path

import pikepdf
import pytest
from django.urls import reverse
from PIL import Image

from tests.evidence import house as houses
from tests.evidence.files.test_preview_a_file import given
from tests.evidence.house import House

pytestmark = pytest.mark.django_db


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


def drawn(client, house: House, name: str, body: bytes) -> Image.Image:
    """The picture of the preview, in grey."""
    client.force_login(house.rita)
    file = given(house, name, body)
    answer = client.get(reverse("evidence:picture", args=[file.uuid]))
    assert answer.status_code == 200
    body = b"".join(answer) if answer.streaming else answer.content
    return Image.open(io.BytesIO(body)).convert("L")


def saved(picture: Image.Image, **more) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", **more)
    return out.getvalue()


@pytest.mark.parametrize("ink", [0, 112, 128, 144, 255])
def test_ink_of_any_colour_stays_visible_on_what_is_transparent(client, house, ink):
    picture = Image.new("RGBA", (96, 48), (ink, ink, ink, 0))
    picture.paste((ink, ink, ink, 255), (0, 20, 96, 28))
    shown = drawn(client, house, "ink.png", saved(picture))
    assert shown.getpixel((40, 24)) == ink
    around = {shown.getpixel((left, 4)) for left in range(96)}
    assert max(abs(ink - grey) for grey in around) >= 16


def test_a_picture_of_16_bits_is_scaled_and_turned_upright(client, house):
    picture = Image.new("I;16", (40, 20), 257 * 200)
    picture.paste(257 * 20, (0, 0, 20, 20))
    turn = Image.Exif()
    turn[0x112] = 6  # a quarter turn clockwise
    shown = drawn(client, house, "grey.png", saved(picture, exif=turn))
    assert shown.size == (20, 40)
    assert shown.getpixel((10, 5)) == pytest.approx(20, abs=1)
    assert shown.getpixel((10, 35)) == pytest.approx(200, abs=1)


def form(answer: str, *, has_drawing: bool) -> bytes:
    """A page with one text field; its drawing is in the file or left to the viewer."""
    pdf = pikepdf.new()
    page = pdf.add_blank_page(page_size=(400, 120))
    font = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Font,
            Subtype=pikepdf.Name.Type1,
            BaseFont=pikepdf.Name.Helvetica,
        )
    )
    fonts = pikepdf.Dictionary(Font=pikepdf.Dictionary(Helv=font))
    entry = pdf.make_indirect(
        pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Widget,
            FT=pikepdf.Name.Tx,
            T="answer",
            V=answer,
            DA="/Helv 12 Tf 0 g",
            F=4,
            Rect=[20, 40, 300, 60],
        )
    )
    if has_drawing:
        words = f"/Tx BMC BT /Helv 12 Tf 0 g 2 5 Td ({answer}) Tj ET EMC"
        drawing = pdf.make_stream(words.encode())
        drawing.Type, drawing.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        drawing.BBox, drawing.Resources = pikepdf.Array([0, 0, 280, 20]), fonts
        entry.AP = pikepdf.Dictionary(N=drawing)
    page.obj.Annots = pikepdf.Array([entry])
    pdf.Root.AcroForm = pikepdf.Dictionary(
        Fields=[entry],
        DA="/Helv 12 Tf 0 g",
        DR=fonts,
        NeedAppearances=not has_drawing,
    )
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


@pytest.mark.parametrize("has_drawing", [True, False])
def test_what_a_form_was_filled_with_is_seen(client, house, has_drawing):
    def dark(answer: str) -> int:
        body = form(answer, has_drawing=has_drawing)
        shown = drawn(client, house, f"form{len(answer)}.pdf", body)
        return sum(shown.histogram()[:100])

    assert dark("NO for 3 of 14 users") > dark("N") + 200
