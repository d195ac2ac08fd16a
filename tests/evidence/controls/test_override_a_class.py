"""An officer asks for another class; a second one approves; it ends."""

from __future__ import annotations

import datetime as dt
import io
import json
from html import unescape

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


def test_r32_where_nobody_can_approve_it_says_so(system, oscar, as_user, today):
    """R32: the sentence after the act names who is missing, until somebody is there."""
    nobody = f"Nobody can decide on it yet: {system} has no second officer."
    assert nobody in ask(as_user(oscar), system, asked_for(today)).content.decode()
    factories.give_role(factories.make_user("olga"), system, "officer")
    other = asked_for(today, responsibility="customer")
    page = ask(as_user(oscar), system, other, "si-2").content.decode()
    assert "Requested. It holds once" in page and nobody not in page


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
    cited = given | {"citation": "SOC 2 report, part 3"}
    answer = ask(as_user(oscar), system, cited, "si-2")
    assert "name the service or the report" in unescape(answer.content.decode())
    ask(as_user(oscar), system, cited | {"needed_from": "service:ec2"}, "si-2")
    assert ResponsibilityOverride.objects.count() == 1


def half(browser, system, ref_id):
    address = reverse("system-control", args=[system.slug, ref_id])
    body = browser.get(address).json()
    return body["aws_half"], {reason["subject"] for reason in body["reasons"]}


def moved_to_aws(as_user, system, oscar, olga, today, source):
    given = asked_for(
        today,
        responsibility="inherited",
        citation="Their letter",
        needed_from=source,
    )
    ask(as_user(oscar), system, given, "ac-1")
    decide(as_user(olga), ResponsibilityOverride.objects.get())


def test_awss_half_is_needed_from_the_service_that_is_named(
    system, oscar, olga, as_user, today
):
    """R9: a report that leaves the named service out proves nothing, another does."""
    artifact = factories.make_artifact(oscar, ["ac-1"])
    year_ago = today - dt.timedelta(days=365)
    without = factories.make_report(artifact, year_ago, today, services=["s3"])
    factories.rely_on(without, system, by=olga)
    moved_to_aws(as_user, system, oscar, olga, today, "service:ec2")
    browser = as_user(oscar)
    state, subjects = half(browser, system, "ac-1")
    assert (state, "ec2" in subjects) == ("missing", True)
    page = browser.get(reverse("evidence:control", args=[system.slug, "ac-1"])).text
    assert "is needed from ec2" in unescape(page)
    other = factories.make_artifact(oscar, ["ac-1"], title="C5", series="c5")
    report = factories.make_report(other, year_ago, today, services=["ec2"])
    factories.rely_on(report, system, by=olga)
    assert half(browser, system, "ac-1")[0] == "proven"
    window = reverse("evidence:control", args=[system.slug, "ac-1"])
    days = browser.get(window).context["answer"].period.aws_days
    assert days.audited == 1  # the override holds from today on


def test_awss_half_is_needed_from_the_report_that_is_named(
    system, oscar, olga, as_user, today
):
    """R9: no other series proves it."""
    year_ago = today - dt.timedelta(days=365)
    for title, series in (("SOC 2", "soc2"), ("Letter of AWS", "letter")):
        artifact = factories.make_artifact(oscar, ["ac-1"], title=title, series=series)
        if series == "soc2":
            report = factories.make_report(artifact, year_ago, today)
            factories.rely_on(report, system, by=olga)
    moved_to_aws(as_user, system, oscar, olga, today, "report:letter")
    browser = as_user(oscar)
    assert half(browser, system, "ac-1") == ("missing", {"letter"})
    report = factories.make_report(artifact, year_ago, today)
    factories.rely_on(report, system, by=olga)
    assert half(browser, system, "ac-1")[0] == "proven"


def test_the_api_names_it_too(system, oscar, client, today):
    """R9: a service that the system does not use is none."""
    client.force_login(oscar)
    body = asked_for(today, responsibility="inherited", citation="Their letter") | {
        "system": system.slug,
        "control_id": "ac-1",
    }
    for source in ("", "service:bedrock", "whatever"):
        answer = client.post(
            reverse("override-list"), body | {"needed_from": source}, "application/json"
        )
        assert answer.status_code == 400
        assert "needed_from" in answer.json()["errors"]
    right = body | {"needed_from": "service:ec2"}
    answer = client.post(reverse("override-list"), right, "application/json")
    assert answer.status_code == 201, answer.content
    assert answer.json()["needed_from"] == "service:ec2"


def test_an_end_before_the_start_is_refused(system, oscar, as_user, today):
    given = asked_for(today, ends_on=str(today - dt.timedelta(days=1)))
    answer = ask(as_user(oscar), system, given)
    assert answer.status_code == 422
    assert "must end after it starts" in answer.content.decode()


def test_nobody_asks_for_one_that_never_ends(system, oscar, as_user, today):
    """R9: somebody looks at it again, within three years."""
    given = asked_for(today, ends_on="2200-01-01")
    answer = ask(as_user(oscar), system, given)
    assert answer.status_code == 422
    assert "at most three years after the first" in answer.content.decode()
    assert not ResponsibilityOverride.objects.exists()


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
    assert as_user(oscar).get(url).status_code == 302


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
