"""Sign-off scenario 1: classes follow services (FedRAMP HIGH, no premises)."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from tests import factories

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
    basis = derived(*SERVERS)["si-2"]["basis"]
    assert {"customer", "aws"} <= {row["party"] for row in basis}
    for row in basis:
        assert row["layer"] and row["component"] and row["party"] and row["source"]
        assert row["kind"] in {"configured", "provided"}


def test_a_system_described_over_the_api_has_these_classes(as_user) -> None:
    """R1, through models and API; Outposts taken into use turns PE-3 (scenario 1)."""
    browser = as_user(factories.administrator())
    body = {
        "name": "High",
        "slug": "high",
        "regime": "fedramp",
        "impact_level": "high",
        "baseline": "fedramp-high",
        "window_start": "2026-01-01",
        "window_end": "2026-12-31",
        "components": [
            {"service": name, "used_from": "2026-01-01", "regions": ["us-east-1"]}
            for name in SERVERS
        ],
        "owners": {"": factories.make_team().slug},
    }
    made = browser.post(reverse("system-list"), body, "application/json")
    assert made.status_code == 201, made.content
    answers = listed(browser)
    inherited = ("pe-3", "pe-13", "pe-18", "mp-6", "ma-2")
    assert classes(answers, *inherited) == {"inherited"}
    ours = ("pe-1", "pe-17", "ac-4", "sc-7.21", "ca-2", "sa-9", "pl-2")
    assert classes(answers, *ours) == {"customer"}
    both = ("si-2", "cm-2", "cm-6", "at-2", "au-8", "sc-39", "ma-4", "cp-7")
    assert classes(answers, *both) == {"shared"}
    outposts = {
        "service": "outposts",
        "used_from": "2026-01-01",
        "regions": ["us-east-1"],
    }
    components = reverse("component-list", args=["high"])
    added = browser.post(components, outposts, "application/json")
    assert added.status_code == 201, added.content
    answers = listed(browser)
    assert classes(answers, "pe-3") == {"shared"}
    assert classes(answers, "pe-17") == {"customer"}
    parties = {row["party"] for row in answers["pe-3"]["basis"]}
    assert parties == {"aws", "customer"}


def listed(browser: Client) -> dict[str, Any]:
    """The API's answer of each control of the system."""
    address, rows = reverse("system-controls", args=["high"]), {}
    while address:
        answer = browser.get(address)
        assert answer.status_code == 200, answer.content
        page = answer.json()
        rows |= {row["control_id"]: row for row in page["results"]}
        address = page["next"]
    return rows


@pytest.mark.parametrize("wrong", [["--service", "ecx"], ["--component", "offce"]])
def test_an_unknown_name_is_refused_with_the_nearest(
    wrong: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    err = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("derive", "--baseline", "fedramp-low", *wrong, stderr=err)
    assert stopped.value.code == 2
    assert "Nearest: " in err.getvalue()
