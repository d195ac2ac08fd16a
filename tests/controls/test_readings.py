"""Every control that a baseline selects has a reading and a reason of its own."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from controls import reference
from controls.models import BaselineControl
from controls.responsibility.derive import LAYERS
from tests.controls.test_shared_responsibility_statements import judged

READINGS = Path(reference.__file__).parent / "readings"


def rows() -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for path in sorted(READINGS.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            found += csv.DictReader(file)
    return found


@pytest.mark.django_db
def test_every_control_of_the_baselines_is_read():
    chosen = BaselineControl.objects.exclude(baseline__slug="nist-all")
    ids = set(chosen.values_list("control__ref_id", flat=True))
    assert len(ids) == 463
    assert ids <= {row["control_id"] for row in rows()}


def test_no_reason_serves_two_controls():
    counted = Counter(row["reason"] for row in rows())
    assert [reason for reason, times in counted.items() if times > 1] == []


def test_each_reason_is_a_sentence():
    for row in rows():
        assert 8 <= len(row["reason"].split()) <= 28, row
        assert row["reason"].endswith("."), row


def test_layers_are_known_ones():
    for row in rows():
        assert set(row["layers"].split()) <= set(LAYERS), row
        assert row["layers"] or row["as_base"] == "yes", row


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ref_id", "services", "expected"),
    [
        ("si-4.23", ["ec2"], "shared"),
        ("si-4.23", ["s3"], "shared"),
        ("pe-3", ["ec2", "s3"], "inherited"),
        ("mp-6", ["dynamodb"], "inherited"),
        ("ca-2", ["ec2"], "customer"),
        ("sc-12", ["kms"], "shared"),
    ],
)
def test_telling_rows(ref_id, services, expected):
    assert judged(ref_id, *services).responsibility == expected
