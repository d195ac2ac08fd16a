"""Everybody reads in one plain sentence what a control asks.

`official_runs.bin` holds, for each run of eight words of the statements of NIST SP
800-53 revision 5.2.0 (lower case, joined by blanks), the first five bytes of its
sha256, in order: enough to recognise a run, and no text.
"""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from pathlib import Path

import pytest

from controls.models import BaselineControl, Control
from controls.reference.shipped_files import rows, summary_rows
from tests.evidence import house as houses

RUNS = Path(__file__).with_name("official_runs.bin").read_bytes()
OFFICIAL = {RUNS[start : start + 5] for start in range(0, len(RUNS), 5)}
SUMMARIES = {row["control_id"]: row["summary"] for row in summary_rows()}


def runs_of_eight(text: str) -> list[str]:
    words = re.findall(r"[a-z0-9']+", text.lower())
    return [" ".join(words[start : start + 8]) for start in range(len(words) - 7)]


def is_official(run: str) -> bool:
    return hashlib.sha256(run.encode()).digest()[:5] in OFFICIAL


def test_the_runs_recognise_the_official_text() -> None:
    """Eight words of AU-9, so that the test below can fail."""
    quoted = (
        "Protect audit information and audit logging tools from unauthorized access"
    )
    assert any(is_official(run) for run in runs_of_eight(quoted))
    assert len(OFFICIAL) > 10_000
    assert all(one < other for one, other in pairwise(sorted(OFFICIAL)))


def test_each_control_of_a_shipped_baseline_has_one() -> None:
    selected = {row["control_id"] for row in rows("baselines.csv")}
    assert SUMMARIES.keys() == selected
    assert len(SUMMARIES) == len(summary_rows()) == 463


def test_each_is_a_sentence_of_8_to_30_words_and_its_own() -> None:
    assert len(set(SUMMARIES.values())) == len(SUMMARIES)
    for ref_id, sentence in SUMMARIES.items():
        assert 8 <= len(sentence.split()) <= 30, ref_id
        assert sentence[0].isupper(), ref_id
        assert sentence.endswith("."), ref_id


def test_none_has_eight_words_in_a_row_of_the_official_text() -> None:
    borrowed = [
        (ref_id, run)
        for ref_id, sentence in SUMMARIES.items()
        for run in runs_of_eight(sentence)
        if is_official(run)
    ]
    assert borrowed == []


@pytest.mark.django_db
def test_the_loaded_controls_carry_them() -> None:
    loaded = dict(Control.objects.exclude(summary="").values_list("ref_id", "summary"))
    assert loaded == SUMMARIES
    chosen = BaselineControl.objects.exclude(baseline__slug="nist-all")
    assert not chosen.filter(control__summary="").exists()


@pytest.mark.django_db
def test_the_page_of_a_control_says_it_and_the_list_finds_it(
    client, settings, tmp_path
):
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    house = houses.build()
    client.force_login(house.ray)
    page = client.get("/systems/shop/controls/cm-8/").content.decode()
    assert SUMMARIES["cm-8"] in page
    listed = client.get("/systems/shop/controls/", {"q": "everything that makes up"})
    assert "CM-8" in listed.content.decode()
    assert "PE-3" not in listed.content.decode()
