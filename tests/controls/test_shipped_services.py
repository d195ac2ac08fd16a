"""The three files about services agree: each service can be chosen and has layers."""

from __future__ import annotations

from collections import Counter

from controls.models.services import DutyKind, PartyChoice, Provider
from controls.reference.shipped_files import rows
from controls.responsibility.derive import LAYERS

SERVICES = rows("services.csv")
VARIANTS = rows("service_variants.csv")
ROWS = rows("service_layers.csv")


def test_slugs_and_aliases_mean_one_service_each() -> None:
    words = Counter(
        word for row in SERVICES for word in [row["slug"], *row["aliases"].split()]
    )
    assert [word for word, times in words.items() if times > 1] == []
    assert {row["provider"] for row in SERVICES} <= set(Provider.values)


def test_each_service_has_one_default_variant() -> None:
    defaults = Counter(row["service"] for row in VARIANTS if row["is_default"] == "yes")
    assert defaults == Counter({row["slug"]: 1 for row in SERVICES})


def test_each_variant_has_layers_and_each_layer_a_variant() -> None:
    variants = {(row["service"], row["variant"]) for row in VARIANTS}
    assert variants == {(row["service"], row["variant"]) for row in ROWS}


def test_each_layer_says_who_runs_it_and_by_which_source() -> None:
    for row in ROWS:
        assert row["layer"] in LAYERS, row
        assert row["party"] in PartyChoice.values, row
        assert row["kind"] in DutyKind.values, row
        assert row["source"], row


def test_no_layer_of_a_variant_is_said_twice() -> None:
    counted = Counter((row["service"], row["variant"], row["layer"]) for row in ROWS)
    assert [key for key, times in counted.items() if times > 1] == []


def test_r1_the_customer_configures_every_service_of_aws() -> None:
    ours = {
        (row["service"], row["variant"])
        for row in ROWS
        if row["layer"] == "service-configuration" and row["party"] == "customer"
    }
    aws = {row["slug"] for row in SERVICES if row["provider"] == Provider.AWS}
    variants = {
        (row["service"], row["variant"]) for row in VARIANTS if row["service"] in aws
    }
    assert variants <= ours
