"""A system is described on one page; its officer later changes what it uses."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from controls.models import AuditEvent, Baseline, Membership, System
from evidence.models import RequirementControl
from evidence.systems.baselines import proposed_baseline
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(db):
    """The administrator of an installation in which nothing is described yet."""
    return factories.administrator()


def filled_in(**changes):
    """The form as a person sends it."""
    baseline = factories.make_baseline()
    team = factories.make_team()
    return {
        "name": "Ledger",
        "description": "",
        "regime": "soc2",
        "impact_level": "moderate",
        "partition": "aws",
        "baseline": baseline.pk,
        "time_zone": "Europe/Paris",
        "window_start": "2026-01-01",
        "window_end": "2026-12-31",
        "own_code": "on",
        "used_from": "2026-01-01",
        "regions": "us-east-1, eu-west-1",
        "owner": team.pk,
        "new_team": "",
        "use_ec2": "on",
        "use_iam": "on",
        "use_lambda": "on",
        "variant_lambda": "container-image",
        "owner_pe": "",
    } | changes


def test_one_post_describes_all_of_it(root, as_user):
    browser = as_user(root)
    assert browser.get(reverse("evidence:system_new")).status_code == 200

    answer = browser.post(reverse("evidence:system_new"), filled_in(), follow=True)

    system = System.objects.get(slug="ledger")
    landed = answer.redirect_chain[-1][0]
    assert landed == reverse("evidence:first_steps", args=["ledger"])
    assert system.implementations.count() == len(factories.SMALL)
    assert factories.implementation(system, "si-2").responsibility == "shared"
    assert factories.implementation(system, "pe-3").responsibility == "inherited"
    assert factories.implementation(system, "pe-1").responsibility == "customer"
    assert RequirementControl.objects.filter(system=system).exists()
    used = {c.variant.service.slug: c for c in system.components.all()}
    assert used["ec2"].regions == ["eu-west-1", "us-east-1"]
    assert used["iam"].regions == []
    assert used["lambda"].variant.slug == "container-image"
    assert Membership.objects.get(system=system, user=root).role == "officer"
    assert AuditEvent.objects.filter(verb="system.created").count() == 1


def test_a_new_team_may_be_named_and_families_may_have_another(root, as_user):
    factories.make_team("Facilities")
    given = filled_in(owner="", new_team="Ledger crew", owner_pe="facilities")

    as_user(root).post(reverse("evidence:system_new"), given)

    system = System.objects.get(slug="ledger")
    owner = factories.implementation(system, "si-2").owner_team
    assert owner and owner.name == "Ledger crew"
    assert factories.implementation(system, "pe-3").owner_team.slug == "facilities"


def test_mistakes_are_named_by_field_and_nothing_is_lost(root, as_user):
    given = filled_in(regions="mars-1", time_zone="Nowhere", window_end="2025-01-01")

    answer = as_user(root).post(reverse("evidence:system_new"), given)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "“mars-1” is not a region code" in page
    assert "“Nowhere” is not a time zone name" in page
    assert "The audit window must end after it starts." in page
    assert 'value="Ledger"' in page
    assert '<option value="container-image" selected>' in page
    assert not System.objects.exists()


def test_regime_and_level_propose_the_baseline(root, as_user):
    """Which may be another one; where none goes with them, one has to be chosen."""
    address, browser = reverse("evidence:system_new"), as_user(root)
    given = filled_in(baseline="", regime="fedramp", impact_level="low")
    Baseline.objects.filter(slug="fedramp-low").update(slug="ours")
    refused = browser.post(address, given)
    assert refused.status_code == 422
    assert "Choose a baseline: SRM has none" in refused.content.decode()
    named = {"soc2": "nist-moderate", "fedramp": "fedramp-moderate"}
    for regime, slug in named.items():
        given = filled_in(baseline="", regime=regime, name=regime)
        shown = browser.post(address, given | {"show": "count"}).content.decode()
        assert "the one for this regime and level" in shown
        assert browser.post(address, given).status_code == 302
        assert System.objects.get(name=regime).baseline.slug == slug
    assert proposed_baseline("iso", "li-saas") == "nist-low"
    assert proposed_baseline("", "low") == proposed_baseline("iso", "") == ""


def test_a_system_without_services_is_refused(root, as_user):
    given = filled_in()
    for name in ("use_ec2", "use_iam", "use_lambda"):
        del given[name]

    answer = as_user(root).post(reverse("evidence:system_new"), given)

    assert answer.status_code == 422
    assert "tick at least one service" in answer.content.decode()


@pytest.mark.parametrize("who", ["alice", "rita", "audrey"])
def test_other_roles_describe_no_system(who, request, as_user):
    browser = as_user(request.getfixturevalue(who))
    assert browser.get(reverse("evidence:system_new")).status_code == 403
    assert browser.post(reverse("evidence:system_new"), filled_in()).status_code == 403
    assert not System.objects.filter(slug="ledger").exists()


def test_adding_a_component_says_which_classes_changed(system, oscar, as_user):
    given = {
        "variant": factories.variant("outposts").pk,
        "used_from": "2026-02-01",
        "regions": "us-east-1",
        "name": "",
    }
    url = reverse("evidence:component_add", args=[system.slug])

    answer = as_user(oscar).post(url, given, follow=True)

    assert "PE-3 inherited → shared" in answer.content.decode()
    assert factories.implementation(system, "pe-3").responsibility == "shared"
    assert "Outposts" in answer.content.decode()


def test_ending_a_component_asks_for_the_last_day(system, oscar, as_user, on_day):
    browser = as_user(oscar)
    on_day(dt.date(2026, 6, 30))
    component = system.components.get(variant__service__slug="ec2")
    url = reverse("evidence:component_end", args=[system.slug, component.uuid])

    refused = browser.post(url, {"version": component.version}, follow=True)
    assert "Say the last day" in refused.content.decode()

    browser.post(url, {"last_day": "2026-06-30", "version": component.version})
    component.refresh_from_db()
    assert component.used_until == dt.date(2026, 7, 1)
    assert AuditEvent.objects.filter(verb="component.ended").count() == 1

    stale = browser.post(url, {"last_day": "2026-05-31", "version": 1}, follow=True)
    assert "changed since you opened it" in stale.content.decode()


def test_the_same_component_twice_is_refused_on_the_form(system, oscar, as_user):
    given = {
        "variant": factories.variant("ec2").pk,
        "used_from": "2026-02-01",
        "regions": "us-east-1",
        "name": "",
    }
    url = reverse("evidence:component_add", args=[system.slug])

    answer = as_user(oscar).post(url, given)

    assert answer.status_code == 422
    assert "already in use on some of these days" in answer.content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 403), ("rita", 403), ("audrey", 403), ("mallory", 404)],
)
def test_only_officers_change_components(who, status, system, request, as_user):
    browser = as_user(request.getfixturevalue(who))
    url = reverse("evidence:component_add", args=[system.slug])
    assert browser.post(url, {}).status_code == status
    assert browser.get(url).status_code == 302


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Pacific/Honolulu", "2026-11-22"), ("Pacific/Kiritimati", "2026-11-23")],
)
def test_r11_proof_is_asked_for_from_today_as_the_new_system_has_it(
    root, as_user, zone, day
):
    """It is 2026-11-23 09:00 UTC; the form proposes no day of another zone."""
    browser = as_user(root)
    page = browser.get(reverse("evidence:system_new"))
    assert page.context["form"]["asked_from"].value() is None
    fields = filled_in(time_zone=zone, asked_from="")
    assert browser.post(reverse("evidence:system_new"), fields).status_code == 302
    first_days = RequirementControl.objects.values_list("operates_from", flat=True)
    assert {str(first_day) for first_day in first_days} == {day}
