"""The statements of the AWS shared responsibility model, as acceptance tests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from controls.models import Control, ServiceVariant
from controls.responsibility.derive import (
    LAYERS,
    ComponentInUse,
    Derivation,
    LayerParty,
    derive,
    organisation,
)
from controls.responsibility.inputs import component_in_use, layers_of_controls

pytestmark = pytest.mark.django_db


def running(*names: str) -> list[ComponentInUse]:
    """The organisation and the default (or named) variants of services."""
    found = [organisation()]
    for name in names:
        slug, _, variant = name.partition(":")
        rows = ServiceVariant.objects.filter(service__slug=slug)
        chosen = rows.get(slug=variant) if variant else rows.get(is_default=True)
        found.append(
            component_in_use(
                slug, chosen.slug, chosen.service.provider, chosen.layers.all()
            )
        )
    return found


def judged(ref_id: str, *names: str) -> Derivation:
    control = Control.objects.get(ref_id=ref_id)
    return derive(layers_of_controls([control])[control.pk], running(*names))


def layers_of(answer: Derivation, party: str) -> set[str]:
    return {row.layer for row in answer.basis if row.party == party}


def test_s1_every_derivation_lists_the_layers_with_their_party() -> None:
    answer = judged("si-2", "ec2")
    assert "host-os" in layers_of(answer, "aws")
    assert "guest-os" in layers_of(answer, "customer")


def test_s2_the_class_is_computed_from_the_services() -> None:
    assert judged("ma-4", "ec2").responsibility == "shared"
    assert judged("ma-4", "s3").responsibility == "inherited"


def test_s3_on_ec2_patching_configuration_and_firewall_are_ours() -> None:
    assert "guest-os" in layers_of(judged("si-2", "ec2"), "customer")
    assert "guest-os" in layers_of(judged("cm-6", "ec2"), "customer")
    assert "firewall" in layers_of(judged("sc-7", "ec2"), "customer")


def test_s4_on_s3_and_dynamodb_no_guest_is_left_but_data_keys_and_rights_are() -> None:
    names = ("s3", "dynamodb")
    controls = list(Control.objects.filter(withdrawn=False))
    layers = layers_of_controls(controls)
    ours = {
        row.layer
        for control in controls
        for row in derive(layers[control.pk], running(*names)).basis
        if row.party == "customer"
    }
    assert "guest-os" not in ours
    assert {"customer-data", "identity", "server-side-encryption"} <= ours


@pytest.mark.parametrize("ref_id", ["pe-2", "pe-3", "pe-6", "pe-13"])
def test_s5_physical_controls_are_inherited_and_shared_with_outposts(
    ref_id: str,
) -> None:
    assert judged(ref_id, "ec2", "s3").responsibility == "inherited"
    assert judged(ref_id, "ec2", "outposts").responsibility == "shared"


@pytest.mark.parametrize("ref_id", ["si-2", "cm-2", "cm-6", "at-2", "at-3"])
def test_s6_patching_configuration_and_training_are_shared(ref_id: str) -> None:
    for names in (("ec2", "s3"), ("s3", "dynamodb", "lambda")):
        assert judged(ref_id, *names).responsibility == "shared"


@pytest.mark.parametrize("ref_id", ["ac-4", "sc-7.21"])
def test_s7_zoning_of_our_data_is_ours_whatever_runs_the_firewall(ref_id: str) -> None:
    for names in (("ec2", "vpc"), ("s3", "cloudfront", "waf")):
        assert judged(ref_id, *names).responsibility == "customer"


def test_s9_moving_off_servers_drops_duties_and_never_adds_a_guest() -> None:
    before, after = judged("si-2", "ec2", "rds"), judged("si-2", "dynamodb", "lambda")
    assert "guest-os" in layers_of(before, "customer")
    assert "guest-os" not in layers_of(after, "customer")


def test_a_policy_control_is_never_inherited() -> None:
    every = [v.service.slug for v in ServiceVariant.objects.filter(is_default=True)]
    components = running(*every)
    controls = [
        c
        for c in Control.objects.filter(selections__isnull=False).distinct()
        if c.ref_id.endswith("-1") or c.family in {"ca", "pl"} or c.ref_id == "sa-9"
    ]
    layers = layers_of_controls(controls)
    for control in controls:
        if layers[control.pk] is not None:
            answer = derive(layers[control.pk], components)
            assert answer.responsibility == "customer", control.ref_id


def test_every_control_of_the_eight_baselines_has_a_reading_with_a_reason() -> None:
    chosen = Control.objects.filter(
        selections__baseline__slug__in=[
            "nist-low",
            "nist-moderate",
            "nist-high",
            "nist-privacy",
            "fedramp-low",
            "fedramp-moderate",
            "fedramp-high",
            "fedramp-li-saas",
        ]
    ).distinct()
    layers = layers_of_controls(chosen)
    assert len(layers) == 463
    assert not [c.ref_id for c in chosen if layers[c.pk] is None]
    assert not chosen.filter(layers__reason="").exists()


def test_there_are_55_services_each_layer_with_a_source() -> None:
    aws = ServiceVariant.objects.filter(service__provider="aws")
    assert aws.values("service").distinct().count() >= 55
    assert not aws.filter(layers__source="").exists()


parties = st.sampled_from(["aws", "customer", "third-party"])
components = st.builds(
    ComponentInUse,
    component=st.sampled_from(["a", "b", "c", "d"]),
    variant=st.just("standard"),
    provider=st.just("aws"),
    layers=st.dictionaries(
        st.sampled_from(LAYERS),
        st.lists(st.builds(LayerParty, parties, st.just("provided")), min_size=1).map(
            tuple
        ),
    ),
)
governed = st.frozensets(st.sampled_from(LAYERS))
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def who(answer: Any) -> set[str]:
    return {row.party for row in answer.basis}


@relaxed
@given(governed, st.lists(components), components)
def test_adding_a_component_never_removes_a_party(
    layers: frozenset[str], used: list[ComponentInUse], more: ComponentInUse
) -> None:
    assert who(derive(layers, used)) <= who(derive(layers, [*used, more]))


@relaxed
@given(governed)
def test_with_nothing_in_use_nothing_is_inherited(layers: frozenset[str]) -> None:
    assert derive(layers, []).responsibility == "none"
    assert derive(layers, [organisation()]).responsibility in {"customer", "none"}


@relaxed
@given(st.lists(components))
def test_a_control_without_a_reading_is_never_inherited(
    used: list[ComponentInUse],
) -> None:
    assert derive(None, used).responsibility == "unclassified"
