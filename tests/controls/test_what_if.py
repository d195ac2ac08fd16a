"""Somebody asks what other services would change (S9); looking changes nothing."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from controls.models import AuditEvent, ResponsibilityDecision, ServiceVariant
from controls.responsibility.derive import (
    LAYERS,
    TEMPLATE_SOURCE,
    ComponentInUse,
    LayerParty,
    organisation,
)
from controls.responsibility.what_if import compare
from controls.responsibility.what_if_system import suppose


def party(name: str, kind: str, duty: str = "") -> LayerParty:
    return LayerParty(name, kind, duty, TEMPLATE_SOURCE)


SERVER = ComponentInUse(
    "ec2",
    "",
    "aws",
    {
        "guest-os": (party("customer", "provided", "patch the guest"),),
        "host-os": (party("aws", "provided"),),
    },
)
TABLE = ComponentInUse(
    "dynamodb",
    "",
    "aws",
    {
        "host-os": (party("aws", "provided"),),
        "platform": (party("aws", "provided"),),
        "identity-access": (party("customer", "configured"),),
    },
)
READ = {
    "mx-1": {"guest-os", "host-os"},
    "mx-2": {"guest-os"},
    "mx-3": {"identity-access", "programme"},
    "mx-4": None,
}


def test_s9_leaving_servers_drops_the_guest_and_says_what_is_kept_and_new() -> None:
    ours = organisation()
    found = compare(READ, [ours, SERVER], [ours, TABLE])
    by_control = {each.control: each for each in found.changes}
    assert set(by_control) == {"mx-1", "mx-2", "mx-3"}
    assert by_control["mx-1"].before.responsibility == "shared"
    assert by_control["mx-1"].after.responsibility == "inherited"
    assert by_control["mx-2"].after.responsibility == "none"
    assert [row.component for row in by_control["mx-3"].new] == ["dynamodb"]
    assert [row.layer for row in by_control["mx-3"].kept] == ["programme"]
    assert not by_control["mx-3"].turns
    assert [(d.row.layer, d.controls) for d in found.dropped] == [("guest-os", 2)]
    assert found.classes_before["unclassified"] == 1


component = st.sampled_from([SERVER, TABLE])


@given(st.lists(component), st.lists(component))
def test_there_and_back_are_each_others_mirror(before, after) -> None:
    there, back = compare(READ, before, after), compare(READ, after, before)
    left = sorted([*there.dropped, *there.moved], key=lambda duty: duty.row)
    assert left == sorted(back.new, key=lambda duty: duty.row)
    assert {(d.row, d.onto) for d in there.carried} == {
        (d.onto, d.row) for d in back.carried
    }
    assert there.classes_before == back.classes_after
    assert [c.control for c in there.changes] == [c.control for c in back.changes]


@given(st.lists(component))
def test_the_same_components_change_nothing(used) -> None:
    found = compare({layer: {layer} for layer in LAYERS}, used, used)
    assert (found.changes, found.dropped, found.new) == ((), (), ())


def variants(*slugs: str) -> list[ServiceVariant]:
    chosen = ServiceVariant.objects.filter(service__slug__in=slugs, is_default=True)
    return list(chosen.select_related("service").prefetch_related("layers"))


@pytest.mark.django_db
def test_s9_a_real_system_without_its_servers(system) -> None:
    decided = ResponsibilityDecision.objects.count()
    found = suppose(
        system,
        dt.date(2026, 6, 1),
        ending=variants("ec2"),
        adding=variants("dynamodb", "lambda"),
    )
    moved = {(duty.row.layer, duty.row.component) for duty in found.moved}
    assert moved == {("guest-os", "ec2")}
    assert not any(duty.row.layer == "guest-os" for duty in found.new)
    begun = {duty.row.component for duty in found.new}
    begun |= {duty.onto.component for duty in found.carried}
    assert begun == {"dynamodb", "lambda"}
    patching = next(c for c in found.changes if c.control.control.ref_id == "si-2")
    assert patching.after.responsibility == "shared"
    assert ResponsibilityDecision.objects.count() == decided


@pytest.mark.django_db
def test_the_page_compares_and_writes_nothing(system, alice, as_user) -> None:
    browser, page = as_user(alice), reverse("evidence:what_if", args=[system.slug])
    events = AuditEvent.objects.count()
    assert "We would stop using" in browser.get(page).content.decode()
    answer = browser.get(page, {"end": "ec2:standard", "add": "lambda:runtime-auto"})
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "Duties we would drop" in shown
    assert "Guest operating system" in shown
    assert answer.context["found"].moved
    assert browser.post(page).status_code == 405
    assert AuditEvent.objects.count() == events


@pytest.mark.django_db
def test_what_cannot_be_is_said(system, alice, mallory, as_user) -> None:
    browser, page = as_user(alice), reverse("evidence:what_if", args=[system.slug])
    answer = browser.get(page, {"end": "outposts:standard"})
    assert answer.status_code == 422
    assert "There is no service “outposts:standard”" in answer.content.decode()
    there = {
        "end=lambada": "There is no service “lambada”. Nearest: lambda",
        "end=rds": "is not in use on that day: it cannot end.",
        "end=ec2:large": "There is no service “ec2:large”.",
        "add=ec2": "“Amazon EC2” is in use on that day already.",
        "service=ec2": "The address says “service”, which means nothing here",
        "end=ec2&component=lambda": "The address says “component”",
    }
    for query, sentence in there.items():
        for name in ("what_if", "what_if_csv"):
            url = f"{reverse(f'evidence:{name}', args=[system.slug])}?{query}"
            answer = browser.get(url)
            assert answer.status_code == 422, (name, query)
            assert sentence in answer.content.decode(), (name, query)
    # by any name that we know of it, as the API takes it
    named = browser.get(page, {"end": "EC2", "add": "ddb"})
    assert named.status_code == 200
    assert named.context["found"].changes
    api = reverse("api_what_if", args=[system.slug])
    refused = browser.get(api, {"end": "rds"})
    assert refused.status_code == 400
    assert "is not in use" in refused.json()["errors"]["end"][0]
    unknown = browser.get(api, {"add": "lambada"})
    assert "Nearest: lambda" in unknown.json()["errors"]["add"][0]
    assert browser.get(api).status_code == 400
    misnamed = browser.get(api, {"service": "ec2", "end": "ec2"})
    assert misnamed.status_code == 400
    assert "There is no such parameter" in misnamed.content.decode()
    assert as_user(mallory).get(page).status_code == 404


@pytest.mark.django_db
def test_the_api_says_the_same(system, alice, as_user) -> None:
    api = reverse("api_what_if", args=[system.slug])
    said = as_user(alice).get(api, {"end": "ec2", "add": "ddb"}).json()
    assert sum(said["classes_before"].values()) == system.implementations.count()
    patching = next(c for c in said["changes"] if c["control_id"] == "si-2")
    assert "guest-os" in {row["layer"] for row in patching["moved"]}
    assert patching["ruled_by"] == "derived"


@pytest.mark.django_db
def test_the_database_is_asked_as_often_for_many_components(
    system, alice, as_user, django_assert_max_num_queries
) -> None:
    browser, page = as_user(alice), reverse("evidence:what_if", args=[system.slug])
    slugs = ["rds", "dynamodb", "lambda", "kms", "elb", "cloudfront"]
    wanted = [f"{v.service.slug}:{v.slug}" for v in variants(*slugs)]
    with django_assert_max_num_queries(24):
        browser.get(page, {"add": wanted[:1]})
    with django_assert_max_num_queries(24):
        browser.get(page, {"add": wanted})
