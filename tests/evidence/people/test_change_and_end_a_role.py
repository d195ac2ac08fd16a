"""R24, AC-09: an officer changes the days of a role and ends it; nobody makes their own
longer, and the last officer does not go without a word."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.memberships import change_days, end_membership
from controls.models import AuditEvent, Membership, Role, System
from tests import factories
from tests.one_day import BEGINS, TODAY
from tests.sign_ins import sign_in_just_now

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def no_second_factor(settings):
    settings.MFA_REQUIRED = False


def browser_of(person: Any) -> Client:
    return sign_in_just_now(Client(), person)


def role_of(person: Any) -> Membership:
    return Membership.objects.get(user=person)


def post(browser: Client, door: str, row: Membership, **said: Any) -> Any:
    page = reverse(f"evidence:{door}", args=[row.system.slug, row.uuid])
    return browser.post(page, {"version": row.version} | said, follow=True)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_another_last_day_is_said_and_counts_to_its_end(oscar, olga, rita, system):
    row = role_of(rita)
    answer = post(browser_of(oscar), "role_days", row, last_day=str(TODAY + DAY))
    assert "Rita is reviewer to 2026-11-24, that day included." in text_of(answer)
    row.refresh_from_db()
    assert row.ends_at == system.end_of_day(TODAY + DAY)
    assert row.version == 2
    event = AuditEvent.objects.get(verb="membership.changed")
    assert (event.chain, event.actor) == (str(system.uuid), oscar)
    answer = post(browser_of(oscar), "role_days", row, last_day="")
    assert "Rita is reviewer until further notice." in text_of(answer)


def test_ac_09_an_ended_role_opens_nothing_with_the_next_request(oscar, rita, system):
    hers = browser_of(rita)
    page = reverse("evidence:people", args=[system.slug])
    assert hers.get(page).status_code == 200
    answer = post(browser_of(oscar), "role_end", role_of(rita))
    assert "Rita is no longer reviewer of Payments." in text_of(answer)
    assert hers.get(page).status_code == 404
    assert "Roles that have ended (1)" in text_of(browser_of(oscar).get(page))


@pytest.mark.parametrize("door", ["role_days", "role_end"])
def test_the_last_officer_goes_only_with_a_word(oscar, system, door):
    row = role_of(oscar)
    said = {"last_day": str(TODAY)} if door == "role_days" else {}
    answer = post(browser_of(oscar), door, row, **said)
    assert answer.status_code == 422
    assert "Then nobody is an officer of this system" in text_of(answer)
    row.refresh_from_db()
    assert row.ends_at is None
    post(browser_of(oscar), door, row, reason="The system is closed.", **said)
    row.refresh_from_db()
    assert row.ends_at is not None
    event = AuditEvent.objects.get(verb="membership.changed")
    assert json.loads(event.body)["reason"] == "The system is closed."


def test_one_of_two_officers_goes_without(oscar, olga, system):
    answer = post(browser_of(oscar), "role_end", role_of(olga))
    assert "Olga is no longer compliance officer" in text_of(answer)


def test_an_officer_who_leaves_that_day_too_is_no_other(oscar, olga, system):
    Membership.objects.filter(user=olga).update(ends_at=system.end_of_day(TODAY))
    said = {"last_day": str(TODAY + DAY)}
    answer = post(browser_of(oscar), "role_days", role_of(oscar), **said)
    assert "Then nobody is an officer of this system" in text_of(answer)


def test_nobody_makes_their_own_role_longer(oscar, olga, system):
    row = role_of(oscar)
    browser = browser_of(oscar)
    post(browser, "role_days", row, last_day=str(TODAY + 9 * DAY))
    row.refresh_from_db()
    for last_day in ("", str(TODAY + 10 * DAY)):
        answer = post(browser, "role_days", row, last_day=last_day)
        assert answer.status_code == 403
        assert "Nobody gives a role to themselves" in text_of(answer)
    post(browser, "role_days", row, last_day=str(TODAY + 8 * DAY))
    row.refresh_from_db()
    assert row.ends_at == system.end_of_day(TODAY + 8 * DAY)


def test_a_role_ends_today_or_later_and_once(oscar, rita, system):
    row, browser = role_of(rita), browser_of(oscar)
    answer = post(browser, "role_days", row, last_day=str(TODAY - DAY))
    assert "A role ends today or later, never before." in text_of(answer)
    post(browser, "role_end", row)
    row.refresh_from_db()
    for door in ("role_days", "role_end"):
        answer = post(browser, door, row, last_day=str(TODAY))
        assert "This role has ended. Invite the person again." in text_of(answer)


def test_the_first_day_moves_until_it_has_come(oscar, rita, system):
    row, browser = role_of(rita), browser_of(oscar)
    later = str(TODAY + 3 * DAY)
    answer = post(browser, "role_days", row, starts_on=later)
    assert "The role has begun: its first day stays." in text_of(answer)
    Membership.objects.update_or_create(
        pk=row.pk, defaults={"starts_at": system.end_of_day(TODAY)}
    )
    post(browser, "role_days", row, starts_on=later)
    row.refresh_from_db()
    assert system.day_of(row.starts_at) == TODAY + 3 * DAY


def test_a_page_opened_before_anothers_change_changes_nothing(oscar, rita, system):
    row, browser = role_of(rita), browser_of(oscar)
    post(browser, "role_days", row, last_day=str(TODAY + 5 * DAY))
    answer = post(browser, "role_end", row)
    assert "This changed since you opened it. Look again." in text_of(answer)
    row.refresh_from_db()
    assert row.ends_at == system.end_of_day(TODAY + 5 * DAY)


def test_ac_05_an_auditors_role_is_made_no_longer_than_90_days(oscar, audrey, system):
    row, browser = role_of(audrey), browser_of(oscar)
    for last_day in ("", str(TODAY + 200 * DAY)):
        answer = post(browser, "role_days", row, last_day=last_day)
        assert answer.status_code == 422
    row.refresh_from_db()
    assert row.version == 1


def test_over_the_api_with_if_match(oscar, rita, system):
    row, browser = role_of(rita), browser_of(oscar)
    one = reverse("person-detail", args=[system.slug, row.uuid])
    shown = browser.get(one)
    assert shown.json()["email"] == rita.email
    assert shown.json()["last_day"] is None
    kind = {"content_type": "application/json"}
    assert browser.patch(one, {"last_day": str(TODAY)}, **kind).status_code == 428
    tag = {"headers": {"If-Match": shown["ETag"]}}
    changed = browser.patch(one, {"last_day": str(TODAY)}, **kind, **tag)
    assert (changed.status_code, changed.json()["last_day"]) == (200, str(TODAY))
    end = reverse("person-end", args=[system.slug, row.uuid])
    assert browser.post(end, {}, **kind, **tag).status_code == 412
    tag = {"headers": {"If-Match": changed["ETag"]}}
    assert browser.post(end, {}, **kind, **tag).status_code == 200
    assert not System.objects.visible_to(rita).exists()


def test_a_role_is_held_once_at_a_time_by_the_database(rita, system):
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.create(
            user=rita, system=system, role=Role.REVIEWER, starts_at=BEGINS
        )
    end_membership(role_of(rita), by=system_officer(system), now=clock.now())
    factories.give_role(rita, system, Role.REVIEWER, starts_at=clock.now())
    assert rita.memberships.count() == 2


def test_the_verb_refuses_whoever_is_no_officer(rita, alice, system):
    row = role_of(alice)
    for call in (
        lambda: change_days(row, last_day=TODAY, by=rita, now=BEGINS),
        lambda: end_membership(row, by=rita, now=BEGINS),
    ):
        with pytest.raises(Exception, match="Only a compliance officer"):
            call()


def system_officer(system: System) -> Any:
    return system.memberships.get(role=Role.OFFICER).user
