"""R32, AC-09: the admin gives and ends roles by the rules of the pages: nobody makes
their own longer, the last officer does not go without a word."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.models import AuditEvent, Membership, Role
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def desk(settings, oscar) -> Client:
    """The browser of the officer, who is staff."""
    settings.MFA_REQUIRED = False
    oscar.is_staff = True
    oscar.save(update_fields=["is_staff"])
    return sign_in_just_now(Client(), oscar)


def change(browser: Client, row: Membership, ends_on: dt.date | None, **typed: Any):
    page = reverse("admin:controls_membership_change", args=[row.pk])
    day = {"ends_at_0": str(ends_on), "ends_at_1": "12:00"} if ends_on else {}
    version = {"seen_version": row.version}
    answer = browser.post(page, version | day | typed, follow=True)
    row.refresh_from_db()
    return answer.content.decode()


def give(browser: Client, user: Any, system: Any, starts_on: dt.date) -> str:
    form = {
        "user": user.pk,
        "system": system.pk,
        "role": Role.READER,
        "starts_at_0": str(starts_on),
        "starts_at_1": "08:00",
    }
    page = reverse("admin:controls_membership_add")
    return browser.post(page, form, follow=True).content.decode()


def held_by(person: Any) -> Membership:
    return Membership.objects.get(user=person)


def test_the_last_officer_goes_only_with_a_word(desk, oscar, system):
    row = held_by(oscar)
    page = change(desk, row, TODAY + DAY)
    assert "Then nobody is an officer of this system" in page
    assert row.ends_at is None
    change(desk, row, TODAY + DAY, reason="The system is closed.")
    assert row.ends_at is not None
    event = AuditEvent.objects.get(verb="membership.changed")
    assert json.loads(event.body)["reason"] == "The system is closed."
    assert (event.chain, event.actor) == (str(system.uuid), oscar)


def test_nobody_makes_their_own_role_longer(desk, oscar, olga, system):
    row = held_by(oscar)
    change(desk, row, TODAY + 3 * DAY)
    ends = row.ends_at
    assert ends is not None
    for later in (None, TODAY + 9 * DAY):
        page = change(desk, row, later)
        assert "Nobody gives a role to themselves" in page
        assert row.ends_at == ends
    change(desk, held_by(olga), TODAY + 2 * DAY)
    assert held_by(olga).ends_at is not None


def test_an_ended_role_stays_ended_and_none_ends_before_today(desk, rita, system):
    row = held_by(rita)
    page = change(desk, row, TODAY - DAY)
    assert "A role ends today or later, never before." in page
    assert row.ends_at is None
    Membership.objects.filter(pk=row.pk).update(ends_at=clock.now())
    row.refresh_from_db()
    page = change(desk, row, None)
    assert "This role has ended. Invite the person again." in page
    assert row.ends_at is not None


def test_a_role_is_given_from_today_on_and_to_others_only(desk, oscar, mallory, system):
    assert "A role begins today or later." in give(desk, mallory, system, TODAY - DAY)
    assert not Membership.objects.filter(user=mallory).exists()
    give(desk, mallory, system, TODAY)
    eight = dt.datetime.combine(TODAY, dt.time(8), dt.UTC)
    assert held_by(mallory).starts_at > eight, "it began before it was given"
    event = AuditEvent.objects.get(verb="membership.created")
    assert (event.chain, event.actor) == (str(system.uuid), oscar)
    page = give(desk, oscar, system, TODAY)
    assert "Nobody gives a role to themselves" in page
    assert Membership.objects.filter(user=oscar).count() == 1


@pytest.mark.parametrize("year", [2201, 9999])
def test_a_role_ends_within_the_days_that_every_zone_knows(desk, rita, system, year):
    system.time_zone = "Europe/Berlin"
    system.save(update_fields=["time_zone"])
    row = held_by(rita)
    page = change(desk, row, dt.date(year, 12, 31), ends_at_1="23:59:59")
    assert "A role ends in 2200 at the latest." in page
    assert row.ends_at is None
    people = desk.get(reverse("evidence:people", args=[system.slug]))
    assert people.status_code == 200


def test_a_role_is_not_given_at_either_end_of_the_calendar(desk, mallory, system):
    system.time_zone = "America/New_York"
    system.save(update_fields=["time_zone"])
    assert "A role begins today or later." in give(
        desk, mallory, system, dt.date(1, 1, 1)
    )
    late = give(desk, mallory, system, dt.date(9999, 12, 31))
    assert "A role ends in 2200 at the latest." in late
    assert not mallory.memberships.exists()
