"""R24, R32, AZ-03: who comes back to a role or an invitation after something else
happened to it is told so, and nothing is done that no page showed."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.models import AuditEvent, Invitation, Membership, Role
from evidence.models import EvidenceRequest
from evidence.requests.requests import RequestDraft, request_evidence
from tests import factories
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now
from tests.waiting_mails import send_waiting_mails

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def no_limits(settings):
    settings.MFA_REQUIRED = False
    cache.clear()


@pytest.fixture
def officer(oscar, system) -> Client:
    return sign_in_just_now(Client(), oscar)


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def link() -> str:
    """The path of the newest mail, once those that wait were sent."""
    send_waiting_mails()
    path = re.search(r"https?://[^/]+(/accounts/invitations/\S+)", mail.outbox[-1].body)
    assert path
    return path[1]


def invite(browser: Client, system: Any, address: str, **more: Any) -> Invitation:
    form = {"address": address, "role": "reviewer", "starts_on": str(TODAY)} | more
    browser.post(reverse("evidence:people_invite", args=[system.slug]), form)
    made: Invitation = Invitation.objects.get(address=address)
    return made


def send_again(browser: Client, made: Invitation) -> Any:
    page = reverse("evidence:invitation_send", args=[made.system.slug, made.uuid])
    return browser.post(page, follow=True)


def test_an_auditor_let_in_meanwhile_is_told_so(officer, system, mailoutbox):
    dan = factories.make_user("dan")
    engagement = factories.make_engagement(system)
    last = str(TODAY + 9 * DAY)
    more = {"role": "auditor", "engagement": engagement.pk, "last_day": last}
    invite(officer, system, dan.email, **more)
    factories.give_role(
        dan, system, Role.AUDITOR, engagement=engagement, ends_at=clock.now() + 5 * DAY
    )
    browser = sign_in_just_now(Client(), dan)
    answer = browser.post(link())
    assert "This auditor is let in at that time already." in text_of(answer)
    assert (answer.status_code, dan.memberships.count()) == (400, 1)


def test_another_officer_does_not_send_a_link_that_nobody_can_use(
    officer, system, oscar, olga, mailoutbox
):
    made = invite(officer, system, "dan@example.com")
    Membership.objects.filter(user=oscar).update(ends_at=clock.now())
    answer = send_again(sign_in_just_now(Client(), olga), made)
    assert "Oscar may no longer give roles in Payments." in text_of(answer)
    assert Invitation.objects.get().mails == 1


def test_an_offer_that_is_over_is_not_sent_again(officer, system, mailoutbox):
    made = invite(officer, system, "dan@example.com", last_day=str(TODAY))
    Invitation.objects.update(starts_on=TODAY - DAY, last_day=TODAY - DAY)
    answer = send_again(officer, made)
    assert "The role was offered until 22 November 2026" in text_of(answer)
    assert Invitation.objects.get().mails == 1


@pytest.fixture
def leaver(system, alice, oscar, platform) -> Membership:
    """Alice, the only one of her team, asked in a request, gone after today."""
    ask_of_alice(system, alice, oscar, platform, "Show it")
    Membership.objects.filter(user=alice).update(ends_at=system.end_of_day(TODAY))
    return Membership.objects.get(user=alice)


def ask_of_alice(system: Any, alice: Any, by: Any, team: Any, title: str) -> None:
    draft = RequestDraft(title, ["ac-1"], team, TODAY + 9 * DAY, person=alice)
    request_evidence(system, draft, by=by)


def shown_plan(browser: Client, role: Membership, to: Any) -> dict[str, str]:
    """What the button of the preview sends."""
    page = reverse("evidence:role", args=[role.system.slug, role.uuid])
    preview = browser.get(page, {"to": str(to.uuid)}).content.decode()
    form = preview.partition(f"{page}hand-over/")[2].partition("</form>")[0]
    sent = dict(re.findall(r'name="(\w+)"\s+value="([^"]*)"', form))
    assert sent["to"] == str(to.uuid)
    return sent


def hand_over(browser: Client, role: Membership, sent: dict[str, str]) -> Any:
    door = reverse("evidence:role_hand_over", args=[role.system.slug, role.uuid])
    return browser.post(door, sent, follow=True)


def test_a_stale_preview_gives_no_role_that_it_did_not_show(
    officer, leaver, system, rita, platform
):
    bob = factories.make_user("bob")
    stays = factories.give_role(bob, system, Role.CONTRIBUTOR, team=platform)
    carol = factories.make_user("carol")
    other = factories.make_team("Network")
    factories.give_role(carol, system, Role.CONTRIBUTOR, team=other)
    sent = shown_plan(officer, leaver, carol)
    Membership.objects.filter(pk=stays.pk).update(ends_at=clock.now())
    answer = hand_over(officer, leaver, sent)
    assert "Something changed since this was shown. Look at it again." in text_of(
        answer
    )
    assert carol.memberships.count() == 1
    assert (
        hand_over(officer, leaver, shown_plan(officer, leaver, carol)).status_code
        == 200
    )
    assert carol.memberships.count() == 2


def test_over_the_api_only_what_the_preview_showed_is_done(
    officer, leaver, system, alice, rita, oscar, platform
):
    """AC-01, R35: the digest of the preview counts as on the page."""
    api = f"/api/v1/systems/{system.slug}/people/{leaver.uuid}/hand-over/"
    to = {"to": rita.email}
    seen = officer.post(f"{api}preview/", to, "application/json")
    assert seen.status_code == 200, seen.content
    plan = seen.json()
    assert (plan["to"], len(plan["requests"])) == (rita.email, 1)
    ask_of_alice(system, alice, oscar, platform, "And this")
    as_seen = {"headers": {"If-Match": seen["ETag"]}}
    body = to | {"shown": plan["shown"]}
    stale = officer.post(api, body, "application/json", **as_seen)
    assert stale.status_code == 412, stale.content
    assert not EvidenceRequest.objects.exclude(person=alice).exists()
    anew = officer.post(f"{api}preview/", to, "application/json").json()
    body = to | {"shown": anew["shown"]}
    done = officer.post(api, body, "application/json", **as_seen)
    assert (done.status_code, done.json()["requests"]) == (200, []), done.content
    assert EvidenceRequest.objects.filter(person=rita).count() == 2


def test_a_request_of_meanwhile_is_not_handed_over_unseen(
    officer, leaver, system, alice, rita, oscar, platform
):
    sent = shown_plan(officer, leaver, rita)
    ask_of_alice(system, alice, oscar, platform, "And this")
    answer = hand_over(officer, leaver, sent)
    assert "Something changed since this was shown. Look at it again." in text_of(
        answer
    )
    assert not EvidenceRequest.objects.exclude(person=alice).exists()


def test_who_helps_a_team_to_a_day_is_no_successor_without_end(
    officer, leaver, system, platform
):
    EvidenceRequest.objects.all().update(person=None)
    bob = factories.make_user("bob")
    factories.give_role(
        bob, system, Role.CONTRIBUTOR, team=platform, ends_at=clock.now() + 5 * DAY
    )
    answer = hand_over(officer, leaver, {"to": str(bob.uuid)})
    told = "Bob has a role for Platform already, until 28 November 2026. Change"
    assert told.replace("28 November 2026", "2026-11-28") in text_of(answer)
    assert not AuditEvent.objects.filter(verb="membership.handed-over").exists()


def test_who_will_upload_for_the_team_is_named(officer, leaver, system, platform, rita):
    factories.give_role(
        rita, system, Role.CONTRIBUTOR, team=platform, starts_at=clock.now() + 5 * DAY
    )
    page = reverse("evidence:role", args=[system.slug, leaver.uuid])
    preview = text_of(officer.get(page, {"to": str(rita.uuid)}))
    assert "Rita has a role for Platform already, until further notice." in preview
    assert "What will happen" not in preview
