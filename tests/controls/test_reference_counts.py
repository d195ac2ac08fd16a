"""The shipped facts hold what the official publications hold, and load once."""

from __future__ import annotations

from collections import Counter

import pytest

from controls.models import AuditEvent, Baseline, Control
from controls.oscal.catalog import OscalProblem, profile_facts
from controls.reference import loader

SELECTED = {
    "nist-low": 149,
    "nist-moderate": 287,
    "nist-high": 370,
    "nist-privacy": 96,
    "fedramp-low": 156,
    "fedramp-moderate": 323,
    "fedramp-high": 410,
    "fedramp-li-saas": 156,
}


@pytest.mark.django_db
def test_the_catalog_and_its_baselines_have_the_published_counts() -> None:
    assert Control.objects.count() == 1196
    assert Control.objects.filter(withdrawn=True).count() == 182
    counted = {
        each.slug: each.controls.count()
        for each in Baseline.objects.exclude(slug="nist-all")
    }
    assert counted == SELECTED


@pytest.mark.django_db
def test_loading_again_changes_nothing_and_writes_no_event() -> None:
    before = AuditEvent.objects.count()
    assert sum(loader.load().values()) == 0
    assert AuditEvent.objects.count() == before


@pytest.mark.django_db
def test_what_somebody_changed_is_brought_back_row_by_row() -> None:
    Control.objects.filter(ref_id="ac-2").update(title="Something else")
    assert loader.load() == Counter(
        controls=1,
        baselines=0,
        selections=0,
        readings=0,
        services=0,
        variants=0,
        layers=0,
    )
    assert Control.objects.get(ref_id="ac-2").title == "Account Management"


def test_a_profile_with_an_unknown_control_names_file_and_control(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "profile.json"
    path.write_text(
        '{"profile": {"imports": [{"include-controls": [{"with-ids": ["zz-9"]}]}]}}'
    )
    with pytest.raises(OscalProblem, match=r"profile\.json: selects unknown.*zz-9"):
        profile_facts(path, {})


@pytest.mark.parametrize("text", ["", "[", '{"catalog": {}}', "[" * 5000])
def test_a_file_that_is_no_profile_is_named(tmp_path, text: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "broken.json"
    path.write_text(text)
    with pytest.raises(OscalProblem, match=r"broken\.json"):
        profile_facts(path, {})
