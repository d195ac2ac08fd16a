"""R24, R32: the page says who is missing for two persons; what waits for somebody who
leaves is listed and handed over in one act, after a preview."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls import clock
from controls.models import AuditEvent, Membership, Role
from controls.responsibility.overrides import request_override
from evidence.models import EvidenceRequest
from evidence.requests.requests import RequestDraft, request_evidence
from tests import factories
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def no_second_factor(settings):
    settings.MFA_REQUIRED = False


@pytest.fixture
def officer(oscar, system) -> Client:
    return sign_in_just_now(Client(), oscar)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def people(browser: Client, system: Any) -> str:
    return text_of(browser.get(reverse("evidence:people", args=[system.slug])))


def test_r32_no_second_officer_and_what_waits(officer, oscar, olga, system):
    assert "No second officer" not in people(officer, system)
    request_override(
        factories.implementation(system, "pe-3"),
        responsibility="shared",
        reason="Our cage.",
        starts_on=TODAY,
        ends_on=TODAY + 30 * DAY,
        by=oscar,
    )
    Membership.objects.filter(user=olga).update(ends_at=system.end_of_day(TODAY))
    page = people(officer, system)
    assert "No second officer after 23 November 2026" in page
    Membership.objects.filter(user=olga).update(ends_at=clock.now())
    page = people(officer, system)
    assert "No second officer: nobody can approve" in page
    assert "The role of Olga ended on 23 November 2026." in page
    assert "need two officers, and 1 of them waits." in page
    assert "Invite an officer" in page


def test_who_only_reviews_alone_is_named(officer, oscar, system, rita):
    assert "Only Oscar can review" not in people(officer, system)
    Membership.objects.filter(user=rita).update(ends_at=clock.now())
    assert "Only Oscar can review" in people(officer, system)


def test_a_team_without_people_is_named(officer, system, alice, platform):
    assert "Nobody uploads for Platform" not in people(officer, system)
    Membership.objects.filter(user=alice).update(ends_at=clock.now())
    assert "Nobody uploads for Platform" in people(officer, system)


@pytest.fixture
def leaver(system, alice, oscar, platform) -> Membership:
    """Alice, the only one of her team, asked in a request, gone after today."""
    request_evidence(
        system,
        RequestDraft("Show it", ["ac-1"], platform, TODAY + 9 * DAY, person=alice),
        by=oscar,
    )
    Membership.objects.filter(user=alice).update(ends_at=system.end_of_day(TODAY))
    return Membership.objects.get(user=alice)


def test_what_waits_is_listed_and_handed_over_in_one_act(
    officer, leaver, system, rita, platform
):
    assert "Hand over" in people(officer, system)
    page = reverse("evidence:role", args=[system.slug, leaver.uuid])
    shown = text_of(officer.get(page))
    assert "Teams for which nobody else uploads" in shown
    assert "Show it" in shown
    preview = text_of(officer.get(page, {"to": str(rita.uuid)}))
    assert "Rita becomes contributor of Platform from 23 November 2026 on" in preview
    assert "“Show it”, due 2 December 2026, is addressed to Rita." in preview
    assert not rita.memberships.filter(role=Role.CONTRIBUTOR).exists()
    door = reverse("evidence:role_hand_over", args=[system.slug, leaver.uuid])
    answer = officer.post(door, {"to": str(rita.uuid)}, follow=True)
    told = "Rita is contributor of Platform from today on and is asked in 1 request."
    assert told in text_of(answer)
    assert rita.memberships.get(role=Role.CONTRIBUTOR).team == platform
    assert EvidenceRequest.objects.get().person == rita
    verbs = set(AuditEvent.objects.values_list("verb", flat=True))
    assert {"membership.handed-over", "request.readdressed"} <= verbs
    again = text_of(officer.post(door, {"to": str(rita.uuid)}, follow=True))
    assert "Nothing waits for this person alone." in again


def test_nobody_hands_over_to_themselves_to_outsiders_or_to_the_leaver(
    officer, leaver, system, oscar, alice, mallory
):
    door = reverse("evidence:role_hand_over", args=[system.slug, leaver.uuid])
    answer = officer.post(door, {"to": str(oscar.uuid)}, follow=True)
    assert "nobody gives a role to themselves" in text_of(answer)
    for person in (alice, mallory):
        answer = officer.post(door, {"to": str(person.uuid)}, follow=True)
        assert "Choose who takes it over." in text_of(answer)
    answer = officer.post(door, {"to": "nonsense"}, follow=True)
    assert "Choose who takes it over." in text_of(answer)
    assert EvidenceRequest.objects.get().person == alice


def test_ac_06_an_auditor_only_reads_and_takes_nothing_over(
    officer, leaver, system, oscar, alice, audrey
):
    page = reverse("evidence:role", args=[system.slug, leaver.uuid])
    assert str(audrey.uuid) not in text_of(officer.get(page))
    door = reverse("person-hand-over", args=[system.slug, leaver.uuid])
    one = reverse("person-detail", args=[system.slug, leaver.uuid])
    tag = {"If-Match": officer.get(one)["ETag"]}
    body = {"to": audrey.email}
    kind = {"content_type": "application/json", "headers": tag}
    answer = officer.post(door, body, **kind)
    assert answer.status_code == 400
    assert "Audrey audits this system, and only reads." in str(answer.json())
    assert EvidenceRequest.objects.get().person == alice
    assert audrey.memberships.get().role == Role.AUDITOR


def test_somebody_of_the_team_takes_over_without_another_role(
    officer, leaver, system, platform
):
    bob = factories.make_user("bob")
    factories.give_role(bob, system, Role.CONTRIBUTOR, team=platform)
    shown = officer.get(reverse("evidence:role", args=[system.slug, leaver.uuid]))
    assert "Teams for which nobody else uploads" not in text_of(shown)
    door = reverse("evidence:role_hand_over", args=[system.slug, leaver.uuid])
    answer = officer.post(door, {"to": str(bob.uuid)}, follow=True)
    assert "Bob is asked in 1 request." in text_of(answer)
    assert bob.memberships.count() == 1


def test_over_the_api(officer, leaver, system, rita):
    one = reverse("person-detail", args=[system.slug, leaver.uuid])
    work = officer.get(reverse("person-open-work", args=[system.slug, leaver.uuid]))
    assert len(work.json()["requests"]) == 1
    assert work.json()["teams"][0]["team"] == "platform"
    tag = {"If-Match": officer.get(one)["ETag"]}
    door = reverse("person-hand-over", args=[system.slug, leaver.uuid])
    kind = {"content_type": "application/json", "headers": tag}
    refused = officer.post(door, {"to": "nobody@example.com"}, **kind)
    assert refused.status_code == 400
    left = officer.post(door, {"to": rita.email}, **kind)
    assert left.status_code == 200, left.json()
    assert (left.json()["requests"], left.json()["teams"]) == ([], [])


def test_the_page_asks_as_much_of_many_people_as_of_few(
    officer, system, alice, rita, platform
):
    page = reverse("evidence:people", args=[system.slug])
    Membership.objects.filter(user=rita).update(ends_at=clock.now() + DAY)
    Membership.objects.filter(user=alice).update(ends_at=clock.now() + DAY)
    officer.get(page)
    with CaptureQueriesContext(connection) as few:
        officer.get(page)
    for n in range(20):
        person = factories.make_user(f"p{n}")
        factories.give_role(
            person, system, Role.CONTRIBUTOR, team=platform,
            ends_at=clock.now() + DAY,
        )  # fmt: skip
    with CaptureQueriesContext(connection) as many:
        officer.get(page)
    assert len(many) <= len(few)
