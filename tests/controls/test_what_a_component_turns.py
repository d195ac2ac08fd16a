"""Classes say what each layer of a component does, and nothing more (R1 to R4)."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from controls.models import Baseline, Control, ControlLayer, ServiceVariant
from controls.responsibility.derive import (
    LAYERS,
    ComponentInUse,
    Derivation,
    derive,
    organisation,
)
from controls.responsibility.inputs import component_in_use, layers_of_controls

pytestmark = pytest.mark.django_db

READINGS = Path(__file__).parents[2] / "controls" / "reference" / "readings"


def component(name: str) -> ComponentInUse:
    slug, _, variant = name.partition(":")
    wanted = {"slug": variant} if variant else {"is_default": True}
    row = ServiceVariant.objects.select_related("service").get(
        service__slug=slug, **wanted
    )
    return component_in_use(
        row.service.slug, row.slug, row.service.provider, row.layers.all()
    )


def derivations(*names: str, own_code: bool = True) -> dict[str, Derivation]:
    """What each control of FedRAMP HIGH is, by its id."""
    controls = list(Control.objects.filter(baselines__slug="fedramp-high"))
    layers = layers_of_controls(controls)
    in_use = [organisation(has_own_code=own_code), *map(component, names)]
    return {row.ref_id: derive(layers[row.pk], in_use) for row in controls}


def turned(
    before: dict[str, Derivation], after: dict[str, Derivation]
) -> dict[str, Any]:
    return {
        ref_id: (old.responsibility, after[ref_id].responsibility)
        for ref_id, old in before.items()
        if old.responsibility != after[ref_id].responsibility
    }


def test_without_code_of_our_own_we_still_configure_what_we_use() -> None:
    """R1: "no own code" says nothing about configuration, data or people."""
    with_code = derivations("s3", "iam")
    without = derivations("s3", "iam", own_code=False)
    for ref_id in (
        *("cm-2", "cm-3", "cm-4", "cm-5", "cm-6", "cm-6.1", "cm-7", "cm-8"),
        *("au-3", "au-12", "cp-7", "ra-5", "sa-22", "si-2", "si-4", "si-7"),
    ):
        assert without[ref_id].responsibility == "shared", ref_id
        parties = {
            row.layer for row in without[ref_id].basis if row.party == "customer"
        }
        assert "service-configuration" in parties, ref_id
    # Only controls about code itself turn: what runs is AWS's, or there is none.
    assert turned(with_code, without) == {
        "cm-14": ("shared", "inherited"),
        "sc-3": ("shared", "inherited"),
        "sc-24": ("shared", "inherited"),
        "si-4.23": ("shared", "inherited"),
        "si-7.15": ("shared", "inherited"),
        "si-8": ("customer", "none"),
        "si-8.2": ("customer", "none"),
        "si-10": ("customer", "none"),
        "si-11": ("customer", "none"),
    }


def test_every_service_of_aws_is_configured_by_the_customer() -> None:
    """R1: the layer is there for each variant of each service that AWS offers."""
    for variant in ServiceVariant.objects.filter(service__provider="aws"):
        row = variant.layers.get(layer="service-configuration")
        assert (row.party, row.kind) == ("customer", "configured")


@pytest.mark.parametrize("line", ["carrier-link", "directconnect"])
def test_a_line_that_we_rent_makes_telecommunications_shared(line: str) -> None:
    """R3: what a component brings of our own puts the customer among the parties."""
    before = derivations("ec2", "vpc", "s3", "iam")
    after = derivations("ec2", "vpc", "s3", "iam", line)
    lines = ("cp-8", "cp-8.1", "cp-8.2", "cp-8.3", "cp-8.4")
    assert turned(before, after) == dict.fromkeys(lines, ("inherited", "shared"))
    provider = "third-party" if line == "carrier-link" else "aws"
    rows = [row for row in after["cp-8"].basis if row.component == line]
    assert {row.party for row in rows} == {provider, "customer"}


def test_a_cage_that_we_rent_makes_every_physical_control_shared() -> None:
    """R3: the landlord beside AWS, and our own list of who may enter the cage."""
    after = derivations("s3", "iam", "colocation-site")
    physical = [
        ref_id
        for ref_id in after
        if ref_id.startswith("pe-") and ref_id not in {"pe-1", "pe-17"}
    ]
    assert len(physical) > 20
    for ref_id in physical:
        assert after[ref_id].responsibility == "shared", ref_id
        rows = [row for row in after[ref_id].basis if row.layer == "facilities"]
        assert {row.party for row in rows} == {"aws", "third-party", "customer"}
        assert any("cage" in row.duty for row in rows)


def test_a_rack_in_a_colocation_names_its_landlord() -> None:
    rows = derivations("outposts:colocation")["pe-3"].basis
    assert {row.party for row in rows} == {"aws", "third-party", "customer"}


@pytest.mark.parametrize(
    "entry, its_own",
    [
        (
            "workspaces",
            {
                "ac-11": ("none", "customer"),
                "ac-11.1": ("none", "customer"),
                "ac-19": ("none", "customer"),
                "ac-19.5": ("none", "customer"),
            },
        ),
        ("client-vpn", {}),
    ],
)
def test_a_workplace_turns_only_what_it_does_itself(
    entry: str, its_own: dict[str, Any]
) -> None:
    """Controls about our people and our rules stay ours (AC-5, SC-15 ...)."""
    servers = ("ec2", "vpc", "ebs", "s3", "iam", "kms")
    before, after = derivations(*servers), derivations(*servers, entry)
    carried = ("ac-12", "ac-17", "ac-17.1", "ac-17.2", "ac-17.3", "ia-3", "sc-10")
    assert turned(before, after) == {
        **dict.fromkeys(carried, ("customer", "shared")),
        **its_own,
    }
    for ref_id in carried:
        layers = {row.layer for row in after[ref_id].basis if row.component == entry}
        assert "remote-entry" in layers, ref_id
    assert after["ac-5"].responsibility == after["sc-15"].responsibility == "customer"
    # SC-15 stays ours, but a workplace brings devices: an absence ends (R10).
    devices = {row.layer for row in after["sc-15"].basis if row.component == entry}
    assert devices == ({"end-user-device"} if its_own else set())


def test_servers_and_a_network_alone_rest_on_no_managed_service() -> None:
    """Backups, log search, names and certificates of a guest are the customer's."""
    alone = derivations("ec2", "vpc")
    for ref_id in (
        *("cp-9", "cp-10", "cp-10.2", "au-7", "au-7.1", "au-9", "au-9.2", "au-9.3"),
        *("sc-17", "sc-20", "sc-21", "sc-22"),
    ):
        assert alone[ref_id].responsibility == "customer", ref_id
    managed = derivations("ec2", "vpc", "backup", "cloudtrail", "route53", "acm")
    for ref_id in ("cp-9", "cp-10", "au-7", "au-9", "sc-17", "sc-20", "sc-21"):
        assert managed[ref_id].responsibility == "shared", ref_id


WORDS = {
    r"managed log service": {"log-service"},
    r"managed backups|managed recovery|managed databases": {"managed-recovery"},
    r"managed name|managed resolver": {"dns-service"},
    r"managed certificate": {"certificate-service"},
    r"managed remote entry": {"remote-entry"},
    r"security groups?": {"firewall"},
    r"firewall": {"firewall", "identity"},
    r"\bguests?\b": {"guest-os", "log-service", "managed-recovery"},
    r"\bstaff devices|laptops?\b": {"end-user-device"},
    r"\b(racks|buildings?|data centres)\b": {"facilities", "hardware", "network"},
    r"\bcages\b": {"facilities"},
    r"classif|retain": {"customer-data"},
}
# Reasons in which such a word means something else.
BESIDE = {"pe-1", "cp-9.3", "ia-4.4", "sc-7.12"}


def test_what_a_reason_names_is_among_the_layers_of_its_control() -> None:
    readings = {}
    for path in sorted(READINGS.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            for row in csv.DictReader(lines):
                readings[row["control_id"]] = row
    assert len(readings) > 460
    wrong = []
    for ref_id, row in readings.items():
        layers = set(row["layers"].split())
        assert layers <= set(LAYERS), ref_id
        for words, named in WORDS.items():
            if (
                ref_id not in BESIDE
                and re.search(words, row["reason"], re.IGNORECASE)
                and not layers & named
            ):
                wrong.append((ref_id, words, row["reason"]))
    assert wrong == []


def test_every_control_of_every_baseline_is_read() -> None:
    """R6: no control of a shipped baseline is left unclassified."""
    for baseline in Baseline.objects.exclude(slug="nist-all"):
        layers = layers_of_controls(baseline.controls.all())
        assert [pk for pk, read in layers.items() if read is None] == []
    assert ControlLayer.objects.exclude(layer__in=[*LAYERS, ""]).count() == 0
