"""Everybody reads the official text, part by part, with what the baseline sets.

R18: a value is the one of that baseline, or none: what nobody has set is shown as left
open. The words are made up (`tests/oscal_catalog.py`).
"""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from controls.control_words import control_words
from controls.models import Baseline, BaselineControl, Control
from controls.reference.control_texts import import_texts
from tests.evidence import house as houses
from tests.oscal_catalog import as_bytes, catalog

pytestmark = pytest.mark.django_db
# Where somebody has NIST's own file: the path of the catalog in JSON.
OFFICIAL_FILE = os.environ.get("SRM_TEST_CATALOG", "")


def bring(content: bytes) -> None:
    import_texts(BytesIO(content), source="catalog.json", by=None)


def words_of(ref_id: str, baseline: str) -> dict[str, str]:
    words = control_words(
        Control.objects.get(ref_id=ref_id), Baseline.objects.get(slug=baseline)
    )
    assert words
    return words.by_statement


def test_values_of_the_baseline_stand_where_the_text_names_them() -> None:
    bring(as_bytes(catalog()))
    moderate = words_of("ac-2", "fedramp-moderate")
    assert moderate["ac-2_smt.h.1"] == "Tell within twenty-four (24) hours; and"
    assert moderate["ac-2_smt.j"] == (
        "Look at accounts quarterly for privileged access, annually for non-privileged"
        " access."
    )
    low = words_of("ac-2", "nist-low")
    assert low["ac-2_smt.h.1"] == "Tell within [time]; and"
    assert low["ac-2_smt.j"] == "Look at accounts [frequency]."


def test_choices_and_what_stands_for_several_are_written_out() -> None:
    bring(as_bytes(catalog()))
    assert words_of("ac-7", "nist-high")["ac-7_smt.b"] == (
        "Then [one or more of: lock it for [minutes]; tell us]."
    )
    assert words_of("ac-1", "fedramp-moderate")["ac-1_smt.a"] == (
        "For at least every 3 years; at least annually:"
    )
    assert words_of("ac-1", "nist-low")["ac-1_smt.a"] == "For [whoever reads it]:"


def test_choices_that_name_each_other_come_to_an_end() -> None:
    document = catalog()
    params = {
        key: {
            "id": key,
            "select": {"choice": [f"{{{{ insert: param, {other} }}}}"] * 2},
        }
        for key, other in (
            ("ac-07_odp.03", "ac-07_odp.04"),
            ("ac-07_odp.04", "ac-07_odp.03"),
        )
    }
    for group in document["catalog"]["groups"]:
        for control in group["controls"]:
            if control["id"] == "ac-7":
                control["params"] = list(params.values())
    bring(as_bytes(document))
    assert len(words_of("ac-7", "nist-low")["ac-7_smt.b"]) < 2_000


@pytest.fixture
def ray(client: Client, settings: Any, tmp_path: Path) -> Client:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    client.force_login(house.ray)
    return client


def test_the_page_marks_what_is_set_and_what_is_open(ray) -> None:
    bring(as_bytes(catalog()))
    page = ray.get("/systems/shop/controls/ac-1/").content.decode()
    assert '<span class="parameter parameter-open">[whoever reads it]</span>:' in page
    of_ac_1 = BaselineControl.objects.filter(baseline__slug="four")
    of_ac_1.filter(control__ref_id="ac-1").update(
        parameters={"ac-01_odp.05": "each <week>"}
    )
    page = ray.get("/systems/shop/controls/ac-1/").content.decode()
    assert '<span class="parameter parameter-set">each &lt;week&gt;</span>:' in page
    assert "what the baseline Four sets" in page
    assert "<p>Why so.</p>" in page


def test_a_text_that_is_no_text_is_shown_as_it_is(ray) -> None:
    bring(as_bytes(catalog(words="<script>alert(1)</script> & {{x}} {label}")))
    page = ray.get("/systems/shop/controls/cm-8/").content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; {x} CM-8" in page


def test_it_costs_a_page_three_statements(ray) -> None:
    url = "/systems/shop/controls/cm-8/"
    ray.get(url)
    with CaptureQueriesContext(
        connection,
    ) as without:
        ray.get(url)
    bring(as_bytes(catalog()))
    ray.get(url)
    with CaptureQueriesContext(connection) as with_it:
        ray.get(url)
    assert len(with_it) - len(without) <= 3


@pytest.mark.skipif(not OFFICIAL_FILE, reason="SRM_TEST_CATALOG names no file")
def test_nist_s_own_file_fits() -> None:
    """Every control, every part, and no parameter that is left as its code."""
    bring(Path(OFFICIAL_FILE).read_bytes())
    baseline = Baseline.objects.get(slug="fedramp-moderate")
    for control in baseline.controls.all():
        words = control_words(control, baseline)
        assert words and words.parts
        assert not any("{{" in part.text for part in words.parts)
    assert words_of("ac-7", "fedramp-moderate")
