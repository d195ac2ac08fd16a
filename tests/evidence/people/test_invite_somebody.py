"""AZ-03, AC-05, R24: somebody is invited by mail, and every state of the link has its
sentence; whoever invites never learns whether the address has an account."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.accounts.invitations import MAX_A_DAY
from controls.models import AuditEvent, Invitation, Membership, Role, User
from controls.models.invitations import INVITATION_LIFE
from tests import factories
from tests.factories import PASSWORD
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now
from tests.waiting_mails import send_waiting_mails

pytestmark = pytest.mark.django_db
NEW = "dan@example.com"
GOOD = {"name": "Dan Data", "password": PASSWORD, "again": PASSWORD}


@pytest.fixture(autouse=True)
def no_limits(settings):
    settings.MFA_REQUIRED = False
    cache.clear()


@pytest.fixture
def officer(oscar, system) -> Client:
    """The officer's browser."""
    return sign_in_just_now(Client(), oscar)


def send(browser: Client, system: Any, address: str = NEW, **said: Any) -> Any:
    form = {"address": address, "role": "reviewer", "starts_on": str(TODAY)} | said
    page = reverse("evidence:people_invite", args=[system.slug])
    return browser.post(page, form, follow=True)


def link() -> str:
    """The path of the newest mail, once those that wait were sent."""
    send_waiting_mails()
    found = re.search(
        r"https?://[^/]+(/accounts/invitations/\S+)", mail.outbox[-1].body
    )
    assert found
    return found[1]


def text_of(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.content.decode())


def test_a_new_person_sets_a_password_and_holds_the_role(officer, system, mailoutbox):
    answer = send(officer, system)
    assert "An invitation is on its way to dan@example.com" in text_of(answer)
    send_waiting_mails()
    assert mailoutbox[0].to == [NEW]
    browser = Client()
    assert "You are invited to" in text_of(browser.get(link()))
    assert not User.objects.filter(email=NEW).exists()  # reading accepts nothing
    answer = browser.post(link(), GOOD, follow=True)
    assert "You are reviewer of Payments now. Sign in with dan@" in text_of(answer)
    dan = User.objects.get(email=NEW)
    assert dan.check_password(PASSWORD)
    assert dan.memberships.get().role == Role.REVIEWER
    verbs = ["invitation.made", "membership.created", "invitation.accepted"]
    told = AuditEvent.objects.filter(chain=str(system.uuid), verb__in=verbs)
    assert list(told.order_by("seq").values_list("verb", flat=True)) == verbs
    assert AuditEvent.objects.filter(verb="user.created", actor=dan).exists()


@pytest.mark.parametrize("elsewhere", [True, False])
def test_who_invites_is_told_the_same_of_every_address(
    officer, system, mailoutbox, elsewhere
):
    if elsewhere:
        factories.make_user("dan")
    answer = send(officer, system)
    page = text_of(answer)
    assert "An invitation is on its way to dan@example.com" in page
    assert "Dan" not in page.replace("dan@example.com", "")
    send_waiting_mails()
    assert len(mailoutbox) == 1
    body = re.sub(r"/accounts/invitations/\S+", "", mailoutbox[0].body)
    assert "Without an account you set a password there; with one you sign in." in body
    row = officer.get(reverse("invitation-list", args=[system.slug])).json()["results"][
        0
    ]
    assert set(row) == {
        "uuid", "address", "role", "team", "engagement", "starts_on", "last_day",
        "state", "invited_by", "invited_at", "mailed_at", "link_ends_at", "version",
    }  # fmt: skip


def test_who_has_an_account_signs_in_and_accepts(officer, system, mailoutbox):
    dan = factories.make_user("dan")
    send(officer, system)
    page = text_of(Client().get(link()))
    assert "dan@example.com has an account here" in page
    assert Client().post(link(), GOOD).status_code == 200  # no other password is set
    dan.refresh_from_db()
    assert dan.check_password(PASSWORD)
    assert not dan.memberships.exists()
    browser = sign_in_just_now(Client(), dan)
    assert "Accept" in text_of(browser.get(link()))
    answer = browser.post(link(), follow=True)
    assert "You are reviewer of Payments now." in text_of(answer)
    assert dan.memberships.get().system == system


def test_another_person_signed_in_is_told_to_sign_out(
    officer, system, mallory, mailoutbox
):
    send(officer, system)
    browser = sign_in_just_now(Client(), mallory)
    for answer in (browser.get(link()), browser.post(link())):
        assert answer.status_code == 403
        assert "for another address than that of the account" in text_of(answer)
        assert NEW not in text_of(answer)
    assert not mallory.memberships.exists()


def test_a_second_use_is_refused(officer, system, mailoutbox):
    send(officer, system)
    Client().post(link(), GOOD)
    answer = Client().get(link())
    assert answer.status_code == 410
    assert "This invitation was used on 23 November 2026. Sign in." in text_of(answer)
    assert Client().post(link(), GOOD).status_code == 410
    assert Membership.objects.filter(user__email=NEW).count() == 1


@pytest.mark.parametrize(("seconds", "status"), [(-1, 200), (0, 410)])
def test_the_link_ends_to_the_second(officer, system, mailoutbox, seconds, status):
    send(officer, system)
    moment = clock.now() - INVITATION_LIFE - dt.timedelta(seconds=seconds)
    Invitation.objects.update(mailed_at=moment)
    # A second is longer than the two requests take.
    answer = Client().get(link())
    if seconds == 0:
        assert "Ask Oscar to send it again" in text_of(answer)
    assert answer.status_code == status


def test_only_the_newest_mail_counts(officer, system, mailoutbox):
    send(officer, system)
    first = link()
    invitation = Invitation.objects.get()
    page = reverse("evidence:invitation_send", args=[system.slug, invitation.uuid])
    assert "on its way" in text_of(officer.post(page, follow=True))
    answer = Client().get(first)
    assert answer.status_code == 410
    assert "A newer mail was sent to you" in text_of(answer)
    assert Client().get(link()).status_code == 200


def test_a_withdrawn_invitation_counts_no_more(officer, system, mailoutbox):
    send(officer, system)
    invitation = Invitation.objects.get()
    path = [system.slug, invitation.uuid]
    page = reverse("evidence:invitation_withdraw", args=path)
    mailed = link()
    assert "is withdrawn" in text_of(officer.post(page, follow=True))
    answer = Client().post(mailed, GOOD)
    assert answer.status_code == 410
    assert "was withdrawn on 23 November 2026" in text_of(answer)
    again = officer.post(page, follow=True)
    assert "This invitation is withdrawn already." in text_of(again)


def test_a_wrong_link_is_no_invitation(officer, system, mailoutbox):
    send(officer, system)
    answer = Client().get(link()[:-2] + "x/")
    assert answer.status_code == 404
    assert "Open the whole link of the mail" in text_of(answer)


def test_invited_twice_is_said(officer, system, mailoutbox):
    send(officer, system)
    answer = send(officer, system, NEW.upper())
    assert answer.status_code == 422
    sentence = "dan@example.com was invited to this role on 23 November 2026."
    assert sentence in text_of(answer)
    send_waiting_mails()
    assert (len(mailoutbox), Invitation.objects.count()) == (1, 1)
    send(officer, system, role="reader")
    assert Invitation.objects.count() == 2


def test_a_member_is_not_invited_again(officer, system, rita, mailoutbox):
    answer = send(officer, system, rita.email)
    assert "Rita holds this role already, until further notice." in text_of(answer)
    assert mailoutbox == []


def test_a_closed_account_stays_closed(officer, system, mailoutbox):
    dan = factories.make_user("dan", is_active=False)
    send(officer, system)
    answer = Client().post(link(), GOOD)
    assert answer.status_code == 403
    assert "The account of this address is closed." in text_of(answer)
    dan.refresh_from_db()
    assert not dan.is_active
    assert not dan.memberships.exists()


def test_who_may_no_longer_give_roles_gave_none(officer, system, oscar, mailoutbox):
    send(officer, system)
    Membership.objects.filter(user=oscar).update(ends_at=clock.now())
    answer = Client().post(link(), GOOD)
    assert answer.status_code == 410
    assert "Oscar may no longer give roles in Payments." in text_of(answer)
    assert not User.objects.filter(email=NEW).exists()


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"password": "short", "again": "short"}, "at least 12 characters"),
        ({"again": "another one altogether"}, "The two passwords differ."),
        ({"name": ""}, "“Your name” is missing."),
    ],
)
def test_a_bad_password_makes_no_account(officer, system, mailoutbox, said, sentence):
    send(officer, system)
    answer = Client().post(link(), GOOD | said)
    assert answer.status_code == 422
    assert sentence in text_of(answer)
    assert not User.objects.filter(email=NEW).exists()
    assert Client().post(link(), GOOD).status_code == 302


def test_ac_05_an_auditor_is_invited_within_an_engagement(officer, system, mailoutbox):
    page = text_of(officer.get(reverse("evidence:people", args=[system.slug])))
    assert "Auditors are invited with an engagement." in page
    engagement = factories.make_engagement(system)
    auditor = {"role": "auditor", "engagement": engagement.pk}
    assert "until a set day" in text_of(send(officer, system, **auditor))
    late = str(TODAY + dt.timedelta(days=90))
    answer = send(officer, system, **auditor, last_day=late)
    assert "An auditor is let in for 90 days at most." in text_of(answer)
    last = str(TODAY + dt.timedelta(days=89))
    send(officer, system, **auditor, last_day=last)
    send_waiting_mails()
    assert f"as Auditor in “{engagement.title}” ({engagement.firm})" in re.sub(
        r"\s+", " ", mailoutbox[0].body
    )
    offer = text_of(Client().get(link()))
    assert f"in “{engagement.title}” (SOC 2 Type II, Audit &amp; Sons," in offer
    Client().post(link(), GOOD)
    grant = Membership.objects.get(user__email=NEW)
    assert (grant.role, grant.engagement) == (Role.AUDITOR, engagement)


def test_an_auditor_begins_at_the_page_of_the_audit(officer, system, mailoutbox):
    """The first page says where the audit stands, not how the company works."""
    dan = factories.make_user("dan")
    engagement = factories.make_engagement(system)
    last = str(TODAY + dt.timedelta(days=30))
    send(officer, system, role="auditor", engagement=engagement.pk, last_day=last)
    answer = sign_in_just_now(Client(), dan).post(link(), follow=True)
    page = reverse("evidence:audit", args=[engagement.uuid])
    assert answer.redirect_chain[-1][0] == page
    sentence = f"You are auditor of {system} in “{engagement.title}” now."
    assert sentence in text_of(answer)


def test_nobody_gives_a_role_to_themselves(officer, system, oscar, mailoutbox):
    answer = send(officer, system, oscar.email)
    assert answer.status_code == 403
    assert "Nobody gives a role to themselves" in text_of(answer)
    assert not Invitation.objects.exists()


def test_r32_the_database_refuses_ones_own_invitation(
    officer, system, oscar, mailoutbox
):
    """Also where the person has taken the invited address as their own meanwhile."""
    send(officer, system)
    User.objects.filter(pk=oscar.pk).update(email=NEW)
    oscar.refresh_from_db()
    answer = sign_in_just_now(Client(), oscar).post(link(), follow=True)
    assert "Nobody gives a role to themselves" in text_of(answer)
    own = oscar.memberships.get()
    accepted = {"state": "accepted", "membership": own, "ended_at": clock.now()}
    refusal = "the second person is another one"
    with pytest.raises(IntegrityError, match=refusal), transaction.atomic():
        Invitation.objects.update(**accepted)
    assert oscar.memberships.count() == 1


@pytest.mark.parametrize("who", ["rita", "alice"])
def test_only_officers_invite(request, system, who, mailoutbox):
    browser = sign_in_just_now(Client(), request.getfixturevalue(who))
    assert send(browser, system).status_code == 403
    body = {"address": NEW, "role": "reader"}
    doors = reverse("invitation-list", args=[system.slug])
    assert browser.post(doors, body, content_type="application/json").status_code == 403
    assert browser.get(doors).status_code == 403
    page = text_of(browser.get(reverse("evidence:people", args=[system.slug])))
    assert "oscar@example.com" not in page
    assert not Invitation.objects.exists()


def test_az_12_inviting_asks_for_the_password_again(system, oscar, mailoutbox):
    browser = Client()
    browser.force_login(oscar)
    page = reverse("evidence:people_invite", args=[system.slug])
    form = {"address": NEW, "role": "officer", "starts_on": str(TODAY)}
    answer = browser.post(page, form)
    assert answer.url.startswith(reverse("account_reauthenticate"))
    assert not Invitation.objects.exists()


def test_an_invitation_over_the_api(officer, system, mailoutbox):
    body = {"address": NEW, "role": "contributor", "team": "platform"}
    doors = reverse("invitation-list", args=[system.slug])
    made = officer.post(doors, body, content_type="application/json")
    assert made.status_code == 201, made.json()
    assert made.json()["mailed_at"]
    one = reverse("invitation-send-again", args=[system.slug, made.json()["uuid"]])
    stale = officer.post(one, headers={"If-Match": '"x:9"'})
    assert stale.status_code == 412
    sent = officer.post(one, headers={"If-Match": made["ETag"]})
    assert sent.status_code == 200
    send_waiting_mails()  # the first one is void by now, and is not sent
    assert len(mailoutbox) == 1
    assert Client().post(link(), GOOD).status_code == 302
    body = {"address": "eve@example.com", "role": "contributor"}
    refused = officer.post(doors, body, content_type="application/json")
    assert (refused.status_code, "team" in refused.json()["errors"]) == (400, True)


def test_a_flood_of_invitations_is_refused(officer, system, oscar, mailoutbox):
    Invitation.objects.bulk_create(
        Invitation(
            system=system,
            invited_by=oscar,
            address=f"p{n}@example.com",
            role="reader",
            starts_on=TODAY,
            invited_at=clock.now(),
        )
        for n in range(MAX_A_DAY)
    )
    assert "Invite more tomorrow." in text_of(send(officer, system))
    assert mailoutbox == []


@pytest.mark.parametrize(
    ("address", "person"),
    [
        ("oscar+second@example.com", "oscar"),
        ("OSCAR@example.com", "oscar"),
        ("olga+reviewer@example.com", "olga"),
    ],
)
def test_nobody_becomes_two_people_by_one_mailbox(
    officer, system, oscar, olga, address, person
):
    """R32: a plus sign and other letters lead to the mailbox of somebody here."""
    for user in (oscar, olga):
        User.objects.filter(pk=user.pk).update(email=f"{user.name.lower()}@example.com")
    answer = send(officer, system, address)
    assert not Invitation.objects.exists()
    if person == "olga":
        assert "leads to the mailbox of olga@example.com" in text_of(answer)
        assert answer.status_code == 422
    else:
        assert answer.status_code == 403


def test_two_accounts_of_one_mailbox_are_named_on_people(officer, system, oscar, olga):
    """R32: accounts that came by other ways are named to whoever may end a role."""
    page = reverse("evidence:people", args=[system.slug])
    assert "One mailbox" not in text_of(officer.get(page))
    User.objects.filter(pk=oscar.pk).update(email="o.scar@gmail.com")
    User.objects.filter(pk=olga.pk).update(email="OScar+x@googlemail.com")
    told = text_of(officer.get(page))
    assert "One mailbox, 2 accounts" in told
    assert "OScar+x@googlemail.com and o.scar@gmail.com lead to one mailbox" in told
