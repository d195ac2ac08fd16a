"""Sign-off scenario 1: classes follow services (FedRAMP HIGH, no premises)."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

pytestmark = pytest.mark.django_db

SERVERS = ("ec2", "vpc", "ebs", "s3", "dynamodb", "iam", "kms")
ABSTRACT = ("s3", "dynamodb", "lambda:runtime-auto")


def derived(*services: str, components: tuple[str, ...] = ()) -> dict[str, Any]:
    """What the command says of each control, by control id."""
    out = StringIO()
    words = ["derive", "--baseline", "fedramp-high"]
    for name in services:
        words += ["--service", name]
    for name in components:
        words += ["--component", name]
    call_command(*words, stdout=out)
    return {row["control_id"]: row for row in json.loads(out.getvalue())}


def classes(answers: dict[str, Any], *ids: str) -> set[str]:
    return {answers[each]["responsibility"] for each in ids}


def test_with_servers_each_control_has_the_class_of_its_layers() -> None:
    said = derived(*SERVERS)
    assert classes(said, "pe-3", "pe-13", "pe-18", "mp-6", "ma-2") == {"inherited"}
    ours = ("pe-1", "pe-17", "ac-4", "sc-7.21", "ca-2", "sa-9", "pl-2")
    assert classes(said, *ours) == {"customer"}
    both = ("si-2", "cm-2", "cm-6", "at-2", "au-8", "sc-39", "ma-4", "cp-7")
    assert classes(said, *both) == {"shared"}
    layers = {r["layer"] for r in said["si-2"]["basis"] if r["party"] == "customer"}
    assert {"guest-os", "application"} <= layers


def test_without_servers_no_guest_duty_is_left() -> None:
    said = derived(*ABSTRACT)
    assert classes(said, "si-2", "cm-2") == {"shared"}
    assert not [
        row
        for each in said.values()
        for row in each["basis"]
        if row["layer"] == "guest-os" and row["party"] == "customer"
    ]
    assert classes(said, "au-8", "sc-39", "ma-4", "sc-7.12") == {"inherited"}
    assert classes(said, "ac-4") == {"customer"}
    assert classes(said, "ac-11") == {"none"}


def test_staff_devices_give_the_device_lock_an_object() -> None:
    said = derived(*ABSTRACT, components=("staff-devices",))
    assert classes(said, "ac-11") == {"customer"}


def test_a_rack_at_our_site_makes_its_protection_shared() -> None:
    said = derived(*SERVERS, "outposts")
    assert classes(said, "pe-3") == {"shared"}
    assert classes(said, "pe-17") == {"customer"}


def test_with_no_service_nothing_is_inherited_or_shared() -> None:
    said = derived()
    assert {row["responsibility"] for row in said.values()} <= {"customer", "none"}
    assert classes(said, "pe-3") == {"none"}
    assert classes(said, "pe-1") == {"customer"}


def test_each_reason_names_layer_service_variant_party_and_source() -> None:
    for row in derived(*SERVERS)["si-2"]["basis"]:
        assert row["layer"] and row["component"] and row["party"] and row["source"]
        assert row["kind"] in {"configured", "provided"}


@pytest.mark.parametrize("wrong", [["--service", "ecx"], ["--component", "offce"]])
def test_an_unknown_name_is_refused_with_the_nearest(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    err = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("derive", "--baseline", "fedramp-low", *wrong, stderr=err)
    assert stopped.value.code == 2
    assert "Nearest: " in err.getvalue()
