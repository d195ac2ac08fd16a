"""Every control that a baseline selects has a reading and a reason of its own."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from controls import reference
from controls.control_parts import parts_of
from controls.models import BaselineControl, Control, ControlLayer
from controls.responsibility.derive import LAYERS
from controls.responsibility.part_classes import LayerReading, classes_of_parts
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


def parts_read() -> list[tuple[str, str]]:
    return [
        (row["control_id"], row["statement_id"])
        for row in rows()
        if row["statement_id"]
    ]


@pytest.mark.django_db
def test_r5_a_part_that_is_read_by_itself_is_a_lowest_part_of_that_control():
    """And its control is read as a whole too: what is not said comes from there."""
    whole = {row["control_id"] for row in rows() if not row["statement_id"]}
    for ref_id, statement_id in parts_read():
        control = Control.objects.get(ref_id=ref_id, catalog__slug="nist-800-53-r5")
        lowest = {part.statement_id for part in parts_of(control) if part.lowest}
        assert statement_id in lowest, statement_id
        assert ref_id in whole


def part_classes(ref_id: str, *services: str) -> dict[str, str]:
    control = Control.objects.get(ref_id=ref_id, catalog__slug="nist-800-53-r5")
    readings = [
        LayerReading(row.statement_id, row.layer, row.reason)
        for row in ControlLayer.objects.readings_of(control)
    ]
    basis = judged(ref_id, *services).as_json()
    shown = classes_of_parts(parts_of(control), readings, basis)
    return {part.label: part.responsibility for part in shown.values()}


CLOUD = ["ec2", "vpc", "ebs", "s3", "dynamodb", "iam", "kms", "cloudtrail", "acm"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ref_id", "services", "whole", "expected"),
    [
        ("ac-17", ["client-vpn"], "shared", {"a": "shared", "b": "customer"}),
        ("ac-17", CLOUD, "customer", {}),  # nothing carries it for us: the same in all
        ("au-9", CLOUD, "shared", {"a": "shared", "b": "customer"}),
        ("cp-6", CLOUD, "shared", {"a": "shared", "b": "inherited"}),
        ("cp-6", ["outposts", "s3"], "shared", {}),  # a site of ours is guarded by us
        (
            "cp-7",
            CLOUD,
            "shared",
            {"a": "shared", "b": "shared", "c": "inherited"},
        ),
        (
            "cp-9",
            CLOUD,
            "shared",
            {"a": "shared", "b": "shared", "c": "customer", "d": "shared"},
        ),
        ("cp-9", ["ec2"], "customer", {}),  # no managed backup: all of it is ours
        ("ir-6", CLOUD, "shared", {"a": "shared", "b": "customer"}),
        (
            "sc-7.4",
            CLOUD,
            "shared",
            dict.fromkeys(["(a)", "(b)", "(c)", "(d)", "(e)"], "shared")
            | dict.fromkeys(["(f)", "(g)", "(h)"], "inherited"),
        ),
        ("sc-13", CLOUD, "shared", {"a": "customer", "b": "shared"}),
        ("sc-17", CLOUD, "shared", {"a": "shared", "b": "customer"}),
        ("ac-2", CLOUD, "shared", {}),  # each side does all of it for its accounts
        ("ps-3", CLOUD, "shared", {}),
        ("pe-3", CLOUD, "inherited", {}),
    ],
)
def test_r5_parts_that_really_differ(ref_id, services, whole, expected):
    assert judged(ref_id, *services).responsibility == whole
    assert part_classes(ref_id, *services) == expected
