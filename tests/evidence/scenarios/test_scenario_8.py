"""Scenario 8 through pages and the API: a control expected of us, and an exception.

Besides, a subservice organisation that the report leaves out (R20).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from controls.errors import NotPermitted
from controls.history.clock import knowledge_now
from controls.models import AuditEvent, Role
from controls.retrospect import approve
from evidence.models import (
    RemarkAnswer,
    RemarkDecision,
    ReportRemark,
    RequirementControl,
)
from evidence.requirements.changes import NewTerms, add_requirement
from evidence.requirements.retiring import retire_requirement
from tests import factories
from tests.evidence.scenarios.providers import Desk, end_of
from tests.evidence.scenarios.stage import codes, told
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
START, END = dt.date(2025, 10, 1), dt.date(2026, 9, 30)


@pytest.fixture
def desk(oscar, settings, tmp_path):
    """Regime soc2, MP-6 inherited and proven; Platform owns it; rita reviews."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    system = factories.make_system(
        oscar,
        slug="records",
        services=("s3", "iam"),
        baseline=factories.make_baseline(("mp-6", "pe-3"), slug="two"),
        used_from=START,
        window_start=START,
        window_end=END,
        regime="soc2",
    )
    desk = Desk(system, oscar, factories.make_user("olga"))
    factories.give_role(desk.second, system, Role.OFFICER)
    report = desk.report(
        desk.series("AWS SOC 2", ["mp-6", "pe-3"]),
        START,
        END,
        services=["*"],
        regions=["*"],
    )
    desk.rely(report)
    desk.report_of_aws = report
    return desk


@pytest.fixture
def reader(oscar, as_user):
    return as_user(oscar)


def post(as_user: Any, user: Any, view: str, *args: Any, **body: Any) -> Any:
    answer = as_user(user).post(reverse(f"evidence:{view}", args=args), body)
    assert answer.status_code == 302, (answer.status_code, answer.content.decode())
    return answer


def remark(desk, as_user, kind: str, title: str, **body: Any) -> ReportRemark:
    """Written down by the registrar on the report's page."""
    uuid = desk.report_of_aws.uuid
    post(as_user, desk.registrar, "remark_new", uuid, kind=kind, title=title, **body)
    return ReportRemark.objects.get(title=title)


def answered(desk, as_user, of: ReportRemark, choice: str, rita) -> RemarkAnswer:
    """Answered by an officer, accepted by a reviewer, both on pages."""
    slug = desk.system.slug
    said = {"choice": choice, "text": "Read, and answered."}
    post(as_user, desk.second, "remark_answer", slug, of.uuid, **said)
    answer = RemarkAnswer.objects.get(remark=of, decision=None)
    shown = as_user(rita).get(reverse("evidence:work")).text
    assert reverse("evidence:remark_decide", args=[answer.uuid]) in shown
    post(as_user, rita, "remark_decide", answer.uuid, decision="accept")
    return answer


def test_scenario_8_a_control_expected_of_us_is_our_duty(
    desk, as_user, reader, alice, rita
):
    """R26: AWS's half stays proven, ours becomes required; `cuec_open` until shown."""
    system, slug = desk.system, desk.system.slug
    factories.give_role(alice, system, Role.CONTRIBUTOR, team=factories.make_team())
    factories.give_role(rita, system, Role.REVIEWER)
    before = told(reader, system, "mp-6", TODAY)
    assert (before["verdict"], before["customer_half"]) == ("proven", "not_required")
    of = remark(
        desk, as_user, "user-control", "CUEC-7",
        text="Customer deletes data and keys at end of use", control_ids="mp-6",
    )  # fmt: skip
    # Registered and not mapped, it is no duty yet, and nothing is green without it.
    unmapped = told(reader, system, "mp-6", TODAY)
    assert (unmapped["aws_half"], unmapped["verdict"]) == ("proven", "partly")
    assert "cuec_open" in codes(unmapped)
    assert told(reader, system, "pe-3", TODAY)["verdict"] == "proven"

    address = reverse("evidence:requirement_new", args=[slug, "mp-6"])
    page = reader.get(f"{address}?user_control={of.uuid}").text
    assert "Expected by a provider" in page
    team = factories.make_team()
    body = {
        "title": "Data and keys are deleted", "cadence": "yearly", "grace_days": 10,
        "purpose": "operation", "operates_from": START, "owner_team": team.pk,
        "user_control": of.uuid,
    }  # fmt: skip
    assert reader.post(address, body).status_code == 302
    answer = told(reader, system, "mp-6", TODAY)
    assert (answer["responsibility"], answer["aws_half"]) == ("inherited", "proven")
    assert (answer["customer_half"], answer["verdict"]) == ("missing", "partly")
    assert {"cuec_open", "aws_only", "never_performed"} <= codes(answer)
    control = reverse("evidence:control", args=[slug, "mp-6"])
    assert "with a duty of ours" in reader.get(control).text
    assert (
        "Data and keys are deleted" in as_user(alice).get(reverse("evidence:work")).text
    )

    row = RequirementControl.objects.get(title="Data and keys are deleted")
    factories.make_evidence(row, by=alice, performed_on=TODAY).accept(by=rita)
    proven = told(reader, system, "mp-6", TODAY)
    assert (proven["customer_half"], proven["verdict"]) == ("proven", "proven")
    assert "cuec_open" not in codes(proven)
    assert proven["proven_by"] == "both"


def test_r32_two_officers_end_what_a_report_expects_of_an_inherited_half(
    desk, as_user, oscar
):
    """R26, R32: the last such ask is all that makes our half required; another ask of
    the control, which no report expects, does not go on for it."""
    said = {"control_ids": "mp-6"}
    of = remark(desk, as_user, "user-control", "CUEC-7", **said)
    control = factories.implementation(desk.system, "mp-6")
    factories.ask_for(control, "The lists", operates_from=START)
    terms = NewTerms("Data is deleted", "monthly", "operation", START)
    asked = [
        add_requirement(control, terms, by=oscar, user_control=of) for _ in range(2)
    ]
    ended = {"until": TODAY, "reason": "We keep none.", "by": oscar, "today": TODAY}
    assert retire_requirement(asked[0], **ended) is None  # the other says the same
    waits = retire_requirement(asked[1], **ended)
    assert waits is not None and waits.kind == "retire-last"
    asked[1].refresh_from_db()
    assert asked[1].operates_until is None
    with pytest.raises(NotPermitted):
        approve(waits, by=oscar, today=TODAY)
    approve(waits, by=desk.second, today=TODAY)
    asked[1].refresh_from_db()
    assert asked[1].operates_until == TODAY


def test_scenario_8_the_same_over_the_api(desk, client, reader):
    """R26: registered, and asked for, by programs; of another control it is a 404."""
    client.force_login(desk.registrar)
    address = reverse("artifact-version-remarks", args=[desk.report_of_aws.uuid])
    said = {"kind": "user-control", "title": "CUEC-7", "control_ids": ["mp-6"]}
    made = client.post(address, said, "application/json")
    assert made.status_code == 201, made.content
    asked = {
        "system": desk.system.slug, "control_id": "mp-6", "title": "Deleted",
        "cadence": "yearly", "operates_from": str(START), "grace_days": 10,
        "user_control": made.json()["uuid"],
    }  # fmt: skip
    requirements = reverse("requirement-list")
    wrong = client.post(
        requirements, asked | {"control_id": "pe-3"}, "application/json"
    )
    assert wrong.status_code == 404
    right = client.post(requirements, asked, "application/json")
    assert right.status_code == 201, right.content
    assert right.json()["user_control"] == asked["user_control"]
    assert told(reader, desk.system, "mp-6", TODAY)["customer_half"] == "missing"
    window = reverse("api_window", args=[desk.system.slug])
    assert client.get(window).json()["results"] == {"exceptions": 1, "complete": 1}


def test_scenario_8_an_exception_holds_the_half_until_a_second_person_accepts(
    desk, as_user, reader, rita, client
):
    """R24, R28: pending and partly; answered it stays visible, as known then open."""
    system = desk.system
    factories.give_role(rita, system, Role.REVIEWER)
    of = remark(desk, as_user, "exception", "CC6.5-2", control_ids="mp-6")
    answer = told(reader, system, "mp-6", TODAY)
    assert (answer["aws_half"], answer["verdict"]) == ("pending", "unproven")
    assert "exception_unanswered" in codes(answer)
    assert told(reader, system, "pe-3", TODAY)["verdict"] == "proven"
    over = answer["period"]
    assert over["result"] == "exceptions"

    client.force_login(desk.second)
    address = reverse("remark-answers", args=[of.uuid])
    body = {"system": system.slug, "choice": "response", "text": "We delete ours too."}
    made = client.post(address, body, "application/json")
    assert made.status_code == 201, made.content
    again = client.post(address, body, "application/json")
    assert again.status_code == 409  # one waits
    assert told(reader, system, "mp-6", TODAY)["aws_half"] == "pending"
    decide = reverse("remark-answer-decide", args=[made.json()["uuid"]])
    for hand in (desk.second, desk.registrar):  # who answered, who registered
        client.force_login(hand)
        refused = client.post(decide, {"decision": "accept"}, "application/json")
        assert refused.status_code == 403
    client.force_login(rita)
    no_word = client.post(decide, {"decision": "reject"}, "application/json")
    assert no_word.status_code == 400
    before = knowledge_now()
    accepted = client.post(decide, {"decision": "accept"}, "application/json")
    assert accepted.json()["decision"] == "accept"
    assert client.post(decide, {"decision": "accept"}).status_code == 409
    proven = told(reader, system, "mp-6", TODAY)
    assert (proven["aws_half"], proven["verdict"]) == ("proven", "proven")
    assert "exception_answered" in codes(proven)
    assert proven["period"]["result"] == "complete"
    then = desk.over_the_api(client, "mp-6", TODAY, before)
    assert (then["aws_half"], then["verdict"]) == ("pending", "unproven")
    verbs = AuditEvent.objects.filter(verb__startswith="remark.").order_by("pk")
    assert [event.verb for event in verbs] == [
        "remark.registered", "remark.answered", "remark.answer-decided",
    ]  # fmt: skip


def test_r32_who_answered_before_does_not_decide_on_the_answer_after(
    desk, as_user, client, rita
):
    """R32: whose answer was rejected accepts no other's; the database holds it too."""
    system = desk.system
    for person in (rita, other := factories.make_user("otto")):
        factories.give_role(person, system, Role.OFFICER)
    of = remark(desk, as_user, "exception", "CC6.5-2", control_ids="mp-6")
    said = {"choice": "response", "text": "We delete ours too."}
    post(as_user, rita, "remark_answer", system.slug, of.uuid, **said)
    first = RemarkAnswer.objects.get()
    body = {"decision": "reject", "reason": "Say when."}
    post(as_user, desk.second, "remark_decide", first.uuid, **body)
    post(as_user, desk.second, "remark_answer", system.slug, of.uuid, **said)
    again = RemarkAnswer.objects.get(decision=None)
    address = reverse("evidence:remark_decide", args=[again.uuid])
    assert address not in as_user(rita).get(reverse("evidence:work")).text
    assert address in as_user(other).get(reverse("evidence:work")).text
    client.force_login(rita)
    refused = client.post(
        reverse("remark-answer-decide", args=[again.uuid]),
        {"decision": "accept"},
        "application/json",
    )
    assert refused.status_code == 403
    # Copies that say otherwise do not help.
    for copied in (rita, desk.registrar):
        past_the_door = RemarkDecision(
            answer=again,
            system=system,
            reviewer=copied,
            answered_by=desk.second,
            registered_by=other,
            decision="accept",
            decided_on=TODAY,
            reviewer_name=str(copied),
        )
        with pytest.raises(IntegrityError, match="another one"), transaction.atomic():
            past_the_door.save()
    post(as_user, other, "remark_decide", again.uuid, decision="accept")


def test_a_carved_out_organisation_is_a_provider_of_its_own_or_has_a_reason(
    desk, as_user, reader, rita
):
    """R20: unanswered it holds the half; as a provider it needs its own report."""
    system = desk.system
    factories.give_role(rita, system, Role.REVIEWER)
    of = remark(desk, as_user, "subservice", "Big Landlord", layers=["facilities"])
    page = as_user(desk.second).get(reverse("evidence:work")).text
    assert reverse("evidence:remark_answer", args=[system.slug, of.uuid]) in page
    waiting = told(reader, system, "pe-3", TODAY)
    assert (waiting["aws_half"], waiting["verdict"]) == ("pending", "unproven")
    assert "subservice_undecided" in codes(waiting)

    answered(desk, as_user, of, "not-needed", rita)
    assert told(reader, system, "pe-3", TODAY)["verdict"] == "proven"
    at_that_time = knowledge_now()
    answered(desk, as_user, of, "provider", rita)
    lacking = told(reader, system, "pe-3", TODAY)
    assert (lacking["aws_half"], lacking["verdict"]) == ("missing", "unproven")
    named = {reason["subject"] for reason in lacking["reasons"]}
    assert "Big Landlord" in named
    assert lacking["period"]["result"] == "exceptions"
    then = desk.answer("pe-3", TODAY, at_that_time)
    assert then.status.verdict == "proven"
    assert desk.answer("pe-3", TODAY, end_of(TODAY)).status.verdict == "unproven"

    report = desk.report(
        desk.series("Landlord SOC 2", ["pe-3"], provider="Big Landlord"),
        START,
        END,
        sites=["*"],
    )
    desk.rely(report)
    assert told(reader, system, "pe-3", TODAY)["verdict"] == "proven"


def test_what_is_no_remark_or_no_answer_is_refused(desk, as_user, reader):
    """R20, R24: layers and controls that exist, and an answer that fits."""
    address = reverse("evidence:remark_new", args=[desk.report_of_aws.uuid])
    for body, sentence in (
        ({"kind": "exception", "title": "X"}, "Name the controls that it touches."),
        (
            {"kind": "exception", "title": "X", "control_ids": "zz-9"},
            "no control of the catalog",
        ),
        ({"kind": "subservice", "title": "X"}, "Tick what the subservice"),
        (
            {"kind": "subservice", "title": "AWS", "layers": ["facilities"]},
            "That is the provider whose report it is.",
        ),
    ):
        answer = reader.post(address, body)
        assert answer.status_code in (400, 422)
        assert sentence in answer.text
    of = remark(desk, as_user, "exception", "CC1", control_ids="pe-3")
    answer = as_user(desk.second).post(
        reverse("evidence:remark_answer", args=[desk.system.slug, of.uuid]),
        {"choice": "provider", "text": "No."},
    )
    assert answer.status_code == 400
    assert not RemarkAnswer.objects.exists()
