"""An officer asks for another class; a second one approves; it ends."""

from __future__ import annotations

import datetime as dt
import io
import json

import pytest
from django.core.management import call_command
from django.urls import reverse

from controls import clock
from controls.models import AuditEvent, EndRequest, ResponsibilityOverride
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return TODAY


def asked_for(today, **changes):
    """The form as an officer sends it."""
    return {
        "responsibility": "shared",
        "starts_on": str(today),
        "ends_on": str(today + dt.timedelta(days=90)),
        "reason": "Our own guards watch the cage.",
        "citation": "",
    } | changes


def ask(browser, system, given, ref_id="pe-3"):
    url = reverse("evidence:override_request", args=[system.slug, ref_id])
    return browser.post(url, given, follow=True)


def decide(browser, override, decision="approve"):
    url = reverse("evidence:override_decide", args=[override.uuid])
    return browser.post(url, {"decision": decision}, follow=True)


def test_it_holds_once_a_second_officer_approves(system, oscar, olga, as_user, today):
    ask(as_user(oscar), system, asked_for(today))
    override = ResponsibilityOverride.objects.get()
    control = factories.implementation(system, "pe-3")
    assert control.responsibility == "inherited"

    page = decide(as_user(olga), override).content.decode()

    control.refresh_from_db()
    assert control.responsibility == "shared"
    assert "Set by an override" in page
    assert "Our own guards watch the cage." in page
    verbs = AuditEvent.objects.filter(verb__startswith="override.")
    assert sorted(verbs.values_list("verb", flat=True)) == [
        "override.approved",
        "override.requested",
    ]


def test_the_past_shows_what_was_known_then(system, oscar, olga, as_user, today):
    ask(as_user(oscar), system, asked_for(today))
    before = clock.now()
    decide(as_user(olga), ResponsibilityOverride.objects.get())
    url = reverse("evidence:control", args=[system.slug, "pe-3"])

    answer = as_user(oscar).get(url, {"known_at": before.isoformat()})

    assert answer.context["answer"].facts.responsibility == "inherited"
    assert [each.state for each in answer.context["overrides"]] == ["requested"]
    assert answer.context["said"].customer_statement == ""
    assert "Ask for another class" not in answer.content.decode()


def test_nobody_approves_their_own(system, oscar, as_user, today):
    ask(as_user(oscar), system, asked_for(today))
    override = ResponsibilityOverride.objects.get()
    assert decide(as_user(oscar), override).status_code == 403
    override.refresh_from_db()
    assert override.state == "requested"


def test_the_second_decision_is_told_who_was_first(system, oscar, olga, as_user, today):
    ask(as_user(oscar), system, asked_for(today))
    override = ResponsibilityOverride.objects.get()
    decide(as_user(olga), override, "refuse")
    page = decide(as_user(olga), override).content.decode()
    assert "Olga has already decided this." in page
    assert factories.implementation(system, "pe-3").responsibility == "inherited"


def test_moving_a_duty_to_aws_cites_awss_document(system, oscar, as_user, today):
    given = asked_for(today, responsibility="inherited")

    answer = ask(as_user(oscar), system, given, "si-2")

    assert answer.status_code == 422
    page = answer.content.decode()
    assert "cite the AWS document" in page
    assert "Our own guards watch the cage." in page
    assert not ResponsibilityOverride.objects.exists()
    ask(as_user(oscar), system, given | {"citation": "SOC 2 report, part 3"}, "si-2")
    assert ResponsibilityOverride.objects.count() == 1


def test_an_end_before_the_start_is_refused(system, oscar, as_user, today):
    given = asked_for(today, ends_on=str(today - dt.timedelta(days=1)))
    answer = ask(as_user(oscar), system, given)
    assert answer.status_code == 422
    assert "must end after it starts" in answer.content.decode()


def test_two_officers_end_it_early(system, oscar, olga, as_user, today):
    """R9: the class holds on until a second officer approves the end."""
    ask(as_user(oscar), system, asked_for(today))
    override = ResponsibilityOverride.objects.get()
    decide(as_user(olga), override)
    url = reverse("evidence:override_settle", args=[override.uuid])
    assert "Say why it ends" in as_user(oscar).post(url, follow=True).content.decode()

    page = as_user(oscar).post(url, {"reason": "The cage is gone."}, follow=True)

    assert "once another officer approves" in page.content.decode()
    assert factories.implementation(system, "pe-3").responsibility == "shared"
    end = EndRequest.objects.get()
    decision = reverse("evidence:end_decide", args=[end.uuid])
    approve = {"decision": "approve"}
    assert as_user(oscar).post(decision, approve).status_code == 403
    end.refresh_from_db()
    assert end.state == "requested"

    as_user(olga).post(decision, approve)

    assert factories.implementation(system, "pe-3").responsibility == "inherited"


@pytest.mark.parametrize(
    ("who", "status"),
    [("alice", 403), ("rita", 403), ("audrey", 403), ("mallory", 404)],
)
def test_others_neither_ask_nor_decide(
    who, status, system, oscar, request, as_user, today
):
    ask(as_user(oscar), system, asked_for(today))
    override = ResponsibilityOverride.objects.get()
    browser = as_user(request.getfixturevalue(who))
    assert ask(browser, system, asked_for(today)).status_code == status
    assert decide(browser, override).status_code == status
    assert ResponsibilityOverride.objects.get().state == "requested"


def test_looking_decides_nothing(system, oscar, as_user, today):
    ask(as_user(oscar), system, asked_for(today))
    override = ResponsibilityOverride.objects.get()
    url = reverse("evidence:override_decide", args=[override.uuid])
    assert as_user(oscar).get(url).status_code == 405


def test_r8_what_a_class_rests_on_stands_wherever_it_is_shown(
    system, oscar, olga, as_user, today
):
    ask(as_user(oscar), system, asked_for(today))
    browser = as_user(olga)
    decide(browser, ResponsibilityOverride.objects.get())
    listed = browser.get(reverse("evidence:controls", args=[system.slug]))
    shown = listed.content.decode()
    assert shown.count('<span class="tag">override</span>') == 1
    assert "template, confirm for your use" in shown
    out = io.StringIO()
    call_command("control_status", system.slug, format="json", stdout=out)
    said = {
        each["control_id"]: each["responsibility_source"]
        for each in json.loads(out.getvalue())
    }
    assert said.pop("pe-3") == "override"
    assert set(said.values()) == {"template, confirm for your use"}
