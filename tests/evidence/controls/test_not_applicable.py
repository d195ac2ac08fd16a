"""An officer asks to leave a control out; a second one agrees; services may undo it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from controls import clock
from controls.models import ApplicabilityDecision, AuditEvent
from evidence.status.control_status import control_statuses, moment_of
from evidence.systems.describe import Use, add_component
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


def ask(browser, system, ref_id="sc-15", **changes):
    url = reverse("evidence:na_request", args=[system.slug, ref_id])
    given = {
        "justification": "There is no collaborative computing device.",
        "review_by": str(TODAY + dt.timedelta(days=365)),
    } | changes
    return browser.post(url, given, follow=True)


def decide(browser, decision="approve"):
    asked = ApplicabilityDecision.objects.get()
    url = reverse("evidence:na_decide", args=[asked.uuid])
    return browser.post(url, {"decision": decision}, follow=True)


def verdict(system, ref_id="sc-15") -> str:
    pk = factories.implementation(system, ref_id).pk
    today = system.day_of(clock.now())
    return control_statuses(system, moment_of(system, today, None), pks=[pk])[
        0
    ].status.verdict


def test_it_is_left_out_once_a_second_officer_agrees(system, oscar, olga, as_user):
    ask(as_user(oscar), system)
    assert verdict(system) != "not_applicable"

    page = decide(as_user(olga)).content.decode()

    assert verdict(system) == "not_applicable"
    assert "There is no collaborative computing device." in page
    assert AuditEvent.objects.filter(verb="not-applicable.approved").count() == 1
    url = reverse("evidence:controls", args=[system.slug])
    assert "SC-15" in as_user(oscar).get(url).content.decode()


def test_a_refusal_changes_nothing(system, oscar, olga, as_user):
    ask(as_user(oscar), system)
    decide(as_user(olga), "refuse")
    assert verdict(system) != "not_applicable"
    assert factories.implementation(system, "sc-15").applicability == "applicable"


def test_nobody_agrees_with_themselves(system, oscar, as_user):
    ask(as_user(oscar), system)
    assert decide(as_user(oscar)).status_code == 403
    assert verdict(system) != "not_applicable"


def test_aws_does_it_is_inherited_and_not_inapplicable(system, oscar, as_user):
    answer = ask(as_user(oscar), system, "pe-13", justification="AWS does it")
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "This is inherited" in page
    assert "AWS does it" in page
    assert not ApplicabilityDecision.objects.exists()


def test_no_justification_no_request(system, oscar, as_user):
    answer = ask(as_user(oscar), system, justification=" ")
    assert answer.status_code == 422
    assert not ApplicabilityDecision.objects.exists()


def test_another_basis_makes_it_void(system, oscar, olga, as_user):
    ask(as_user(oscar), system, "ac-11", justification="There are no staff devices.")
    decide(as_user(olga))
    assert verdict(system, "ac-11") == "not_applicable"

    use = Use(factories.variant("staff-devices"), TODAY)
    add_component(system, use, by=oscar)

    assert verdict(system, "ac-11") != "not_applicable"
    url = reverse("evidence:control", args=[system.slug, "ac-11"])
    assert "Services changed since" in as_user(oscar).get(url).content.decode()


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 403), ("rita", 403), ("audrey", 403), ("mallory", 404)],
)
def test_others_neither_ask_nor_decide(who, status, system, oscar, request, as_user):
    ask(as_user(oscar), system)
    browser = as_user(request.getfixturevalue(who))
    assert ask(browser, system).status_code == status
    assert decide(browser).status_code == status
    assert ApplicabilityDecision.objects.get().state == "requested"
