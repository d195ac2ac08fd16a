"""An officer asks to leave a control out; a second one agrees; services may undo it."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.db import DatabaseError, transaction
from django.urls import reverse

from controls import clock
from controls.lapses import lapse_requests
from controls.models import (
    ApplicabilityDecision,
    AuditEvent,
    EndRequest,
    RetrospectiveChange,
)
from controls.responsibility.overrides import decide_override, request_override
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


def test_more_of_a_layer_that_was_there_changes_nothing(system, oscar, olga, as_user):
    """R10: it rests on the layers ticked at the request, not on the whole basis."""
    ask(as_user(oscar), system, "at-2", justification="Nobody is trained here.")
    decide(as_user(olga))
    assert verdict(system, "at-2") == "not_applicable"
    before = factories.implementation(system, "at-2").decision.basis_id
    use = Use(factories.variant("rds"), TODAY, regions=["us-east-1"])

    add_component(system, use, by=oscar)

    assert factories.implementation(system, "at-2").decision.basis_id != before
    assert verdict(system, "at-2") == "not_applicable"


def test_a_layer_that_was_absent_voids_it_from_that_day(system, oscar, olga, as_user):
    """R10: from the component's first day, and no day before."""
    ask(as_user(oscar), system, "ac-11", justification="There are no staff devices.")
    decide(as_user(olga))
    later = TODAY + dt.timedelta(days=10)

    add_component(system, Use(factories.variant("staff-devices"), later), by=oscar)

    stored = ApplicabilityDecision.objects.get()
    assert stored.absent_layers == ["end-user-device"]
    assert (stored.voided_from, stored.last_day) == (
        later,
        later - dt.timedelta(days=1),
    )
    assert verdict(system, "ac-11") == "not_applicable"
    pk = factories.implementation(system, "ac-11").pk
    (answer,) = control_statuses(system, moment_of(system, later, None), pks=[pk])
    assert answer.status.verdict != "not_applicable"
    assert "na_basis_changed" in {reason.code for reason in answer.status.reasons}


def test_nothing_is_left_out_for_ever(system, oscar, as_user):
    """R10: somebody looks at it again, within three years."""
    body = {
        "system": system.slug,
        "control_id": "ac-11",
        "justification": "There are no staff devices.",
        "review_by": "2200-01-01",
    }
    answer = as_user(oscar).post(
        "/api/v1/not-applicable/", body, content_type="application/json"
    )
    assert answer.status_code == 400
    (sentence,) = answer.json()["errors"]["review_by"]
    assert "at most three years after the first" in sentence


@pytest.mark.parametrize("named", [{}, {"absent_layers": []}])
def test_over_the_api_it_rests_on_all_that_is_absent_unless_named(
    system, oscar, as_user, named
):
    """R10: an empty list is no way to rest on nothing, which nothing would void."""
    body = {
        "system": system.slug,
        "control_id": "ac-11",
        "justification": "There are no staff devices.",
        "review_by": str(TODAY + dt.timedelta(days=300)),
    }
    answer = as_user(oscar).post(
        "/api/v1/not-applicable/", body | named, content_type="application/json"
    )
    assert answer.status_code == 201, answer.content
    assert answer.json()["absent_layers"] == ["end-user-device"]


def test_another_class_voids_it(system, oscar, olga, as_user):
    """R10: SC-15 is ours; by an override it is shared."""
    ask(as_user(oscar), system)
    decide(as_user(olga))
    control = factories.implementation(system, "sc-15")
    assert control.responsibility == "customer"
    override = request_override(
        control,
        responsibility="shared",
        reason="We rent a room with a camera.",
        citation="AWS says so.",
        needed_from="service:ec2",
        starts_on=TODAY,
        ends_on=TODAY + dt.timedelta(days=30),
        by=oscar,
    )
    decide_override(override, approve=True, by=olga)
    assert ApplicabilityDecision.objects.get().voided_from == TODAY
    assert verdict(system) != "not_applicable"


def test_an_earlier_first_day_is_a_change_in_retrospect(system, oscar, olga, as_user):
    """R31: known from its approval; a day before the request alters answers."""
    first = TODAY - dt.timedelta(days=60)
    page = ask(as_user(oscar), system, starts_on=str(first)).content.decode()
    assert "Another officer of this system decides" in page
    assert not ApplicabilityDecision.objects.exists()
    change = RetrospectiveChange.objects.get()
    assert (change.kind, change.first_day) == ("applicability", first)

    url = reverse("evidence:retrospective_decide", args=[change.uuid])
    as_user(olga).post(url, {"decision": "approve", "version": 1})

    stored = ApplicabilityDecision.objects.get()
    assert (stored.state, stored.starts_on) == ("approved", first)
    assert (stored.change, stored.requested_by, stored.decided_by) == (
        change,
        oscar,
        olga,
    )
    assert verdict(system) == "not_applicable"


def test_nobody_decides_after_thirty_days(system, oscar, olga, as_user, on_day):
    """R31: it lapses, by the page and by the daily job."""
    ask(as_user(oscar), system)
    on_day(TODAY + dt.timedelta(days=31))
    page = decide(as_user(olga)).content.decode()
    assert "This request lapsed" in page
    assert lapse_requests(system, TODAY + dt.timedelta(days=30)) == 0
    assert lapse_requests(system, TODAY + dt.timedelta(days=31)) == 1
    assert ApplicabilityDecision.objects.get().state == "lapsed"
    assert factories.implementation(system, "sc-15").applicability == "applicable"


def test_two_never_hold_on_a_day(system, oscar, olga, as_user):
    """R10: refused while one holds, and by the database."""
    ask(as_user(oscar), system)
    decide(as_user(olga))
    again = ask(as_user(oscar), system).content.decode()
    assert "The control is marked as not applicable already" in again
    stored = ApplicabilityDecision.objects.get()
    stored.pk, stored.uuid, stored._state.adding = None, uuid.uuid4(), True
    with pytest.raises(DatabaseError, match="one_in_force"), transaction.atomic():
        stored.save(force_insert=True)


def test_it_is_ended_by_two_officers(system, oscar, olga, as_user):
    """R32: from a day on; until then it holds."""
    ask(as_user(oscar), system)
    decide(as_user(olga))
    stored = ApplicabilityDecision.objects.get()
    url = reverse("evidence:na_end", args=[stored.uuid])
    as_user(oscar).post(url, {"reason": "A room was rented."})
    assert verdict(system) == "not_applicable"
    step = reverse("evidence:end_decide", args=[EndRequest.objects.get().uuid])
    assert step in as_user(olga).get(reverse("evidence:work")).content.decode()
    as_user(olga).post(step, {"decision": "approve"})
    stored.refresh_from_db()
    assert (stored.state, stored.ended_on) == ("ended", TODAY)
    assert verdict(system) != "not_applicable"
