"""Nothing that people typed runs when an export is opened in a spreadsheet (IN-04)."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.exports.status_csv import LIVE, inert
from tests.access import world as worlds


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
    client.force_login(world.house.ray)
    uuid = world.named["sample"]["uuid"]
    answer = client.get(f"/samples/{uuid}/sample.csv")
    body = b"".join(answer) if answer.streaming else answer.content
    cells = [cell for row in csv.reader(io.StringIO(body.decode())) for cell in row]
    assert "'=1+1 1" in cells
    assert not [cell for cell in cells if cell.startswith(LIVE)]
