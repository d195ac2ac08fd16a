"""Nothing that people typed runs when an export is opened in a spreadsheet (IN-04)."""

from __future__ import annotations

import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.exports.jobs import make_export
from evidence.exports.rows.cells import LIVE, inert
from evidence.models import Export
from tests.access import world as worlds
from tests.evidence import house as houses
from tests.sign_ins import sign_in_just_now


@pytest.mark.parametrize("sign", LIVE)
def test_in_04_a_cell_that_would_be_a_formula_is_text(sign: str) -> None:
    assert inert(f"{sign}HYPERLINK(1)") == f"'{sign}HYPERLINK(1)"


@given(st.text(max_size=40))
def test_in_04_no_cell_begins_like_a_formula_and_none_is_lost(said: str) -> None:
    shown = inert(said)
    assert not shown.startswith(LIVE)
    assert shown.removeprefix("'") == said.removeprefix("'") or shown == said


@pytest.mark.django_db
def test_in_04_the_file_of_a_sample_is_inert_as_well(client, settings, tmp_path):
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    world = worlds.build(key="=1+1")
    sign_in_just_now(client, world.house.ray)
    uuid = world.named["sample"]["uuid"]
    answer = client.get(f"/samples/{uuid}/sample.csv")
    body = b"".join(answer) if answer.streaming else answer.content
    assert body.startswith(codecs.BOM_UTF8)
    text = io.StringIO(body.decode("utf-8-sig"))
    cells = [cell for row in csv.reader(text) for cell in row]
    assert "'=1+1 1" in cells
    assert not [cell for cell in cells if cell.startswith(LIVE)]


@pytest.mark.django_db(transaction=True)
def test_excel_reads_an_export_and_a_template_as_utf_8(client, settings, tmp_path):
    """Each begins with the mark by which Excel tells UTF-8 from its own code page."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    sign_in_just_now(client, house.olivia)
    client.post("/exports/request/", {"system": "shop", "on": "2026-11-23"})
    made = Export.objects.get()
    make_export(made.pk)
    template = "/systems/shop/provider/template.csv"
    for address in (f"/exports/{made.uuid}/download/", template):
        answer = client.get(address)
        body = b"".join(answer) if answer.streaming else answer.content
        assert body.startswith(codecs.BOM_UTF8)
        first = next(csv.reader(io.StringIO(body.decode("utf-8-sig"))))
        assert first[0] in {"control_id", "Control ID"}
