"""AC-05, AC-09: a role that is ended before its first day is over, and stands in the
way of none that is given later."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.engagements import end_engagement, renew_engagement
from controls.memberships import RoleOffer, end_membership, held_already, take_role
from controls.models import Engagement, Membership, Role, System
from tests import factories
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def no_second_factor(settings: Any) -> None:
    settings.MFA_REQUIRED = False


def text_of(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def page_of(person: Any, view: str, *parts: Any) -> str:
    browser = sign_in_just_now(Client(), person)
    return text_of(browser.get(reverse(f"evidence:{view}", args=parts)))


@pytest.fixture
def renewed(oscar: Any, audrey: Any) -> Engagement:
    """An audit whose only auditor is let in for two more times after this one."""
    audit = audrey.memberships.get().engagement
    for days in (50, 80):
        renew_engagement(
            audit, [audrey], last_day=TODAY + days * DAY, by=oscar, now=clock.now()
        )
    return audit


def test_an_ended_engagement_leaves_no_access_to_come(
    oscar, audrey, renewed, system
) -> None:
    end_engagement(renewed, by=oscar, now=clock.now())
    soon = clock.now() + dt.timedelta(seconds=1)
    assert not audrey.memberships.filter(ends_at__gt=soon).exists()
    assert not System.objects.visible_to(audrey).exists()
    people = page_of(oscar, "people", system.slug)
    assert "Auditors: read only" not in people
    assert "Roles that have ended (3)" in people
    assert people.count("never in force: ended before it began") == 2
    never = audrey.memberships.order_by("starts_at").last()
    role = page_of(oscar, "role", system.slug, never.uuid)
    assert "Auditor, never in force: the role was ended before it began." in role
    access = page_of(oscar, "engagement_access", system.slug, renewed.uuid)
    assert f"{TODAY} access has ended" in access


def test_its_auditor_is_let_into_the_next_audit_at_once(
    oscar, audrey, renewed, system
) -> None:
    """The instants that were left of later grants kept her out of the next one."""
    end_engagement(renewed, by=oscar, now=clock.now())
    audit = factories.make_engagement(system)
    offer = RoleOffer(Role.AUDITOR, TODAY, TODAY + 85 * DAY, engagement=audit)
    take_role(system, audrey, offer, given_by=oscar, now=clock.now())
    assert System.objects.visible_to(audrey).get() == system
    with time_machine.travel(BEGINS + 60 * DAY, tick=False):
        assert System.objects.visible_to(audrey).get() == system


def test_beside_another_audit_nothing_is_left_of_it_but_an_instant_after(
    oscar, audrey, renewed, system
) -> None:
    """Another audit lets Audrey in now; what was renewed ends before it begins."""
    audit = factories.make_engagement(system)
    first = audrey.memberships.order_by("starts_at")[0]
    Membership.objects.filter(pk=first.pk).update(engagement=audit)
    end_engagement(renewed, by=oscar, now=clock.now())
    first.refresh_from_db()
    later = audrey.memberships.exclude(pk=first.pk).order_by("starts_at")
    moment = dt.timedelta(microseconds=1)
    assert [(row.starts_at - first.ends_at, row.ends_at - row.starts_at)
            for row in later] == [(0 * moment, moment), (moment, moment)]  # fmt: skip
    (grant,) = renew_engagement(
        audit, [audrey], last_day=TODAY + 60 * DAY, by=oscar, now=clock.now()
    )
    assert grant.starts_at == first.ends_at + 2 * moment


@pytest.fixture
def to_come(system: Any) -> Membership:
    """Dan is to be a reviewer in ten days."""
    return factories.give_role(
        factories.make_user("dan"),
        system,
        Role.REVIEWER,
        starts_at=clock.now() + 10 * DAY,
    )


def test_a_role_to_come_that_is_ended_is_over_and_given_anew(
    oscar, to_come, system
) -> None:
    browser = sign_in_just_now(Client(), oscar)
    door = reverse("evidence:role_end", args=[system.slug, to_come.uuid])
    answer = browser.post(door, {"version": 1}, follow=True)
    assert "Dan is no longer reviewer of Payments." in text_of(answer)
    assert "Roles that have ended (1)" in page_of(oscar, "people", system.slug)
    answer = browser.post(door, {"version": 2}, follow=True)
    assert "This role has ended. Invite the person again." in text_of(answer)
    dan, offer = to_come.user, RoleOffer(Role.REVIEWER, TODAY)
    assert held_already(system, dan, offer, clock.now()) == ""
    take_role(system, dan, offer, given_by=oscar, now=clock.now())
    assert System.objects.visible_to(dan).get() == system


def test_an_officer_ends_an_own_role_that_has_not_begun(oscar, olga, system) -> None:
    row = olga.memberships.get()
    Membership.objects.filter(pk=row.pk).update(starts_at=clock.now() + 10 * DAY)
    factories.give_role(
        olga, system, Role.OFFICER, starts_at=BEGINS - DAY, ends_at=clock.now() + DAY
    )
    ended = end_membership(row, by=olga, now=clock.now())
    assert ended.ends_at is not None
    assert ended.ends_at < clock.now() + 2 * DAY
