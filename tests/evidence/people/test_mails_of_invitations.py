"""R24: mails of invitations are sent after commit, by a worker that tries again.

While the invitation is written no mail server is asked, so whoever needs the system's
rows never waits for one.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import psycopg
import pytest
from django.core import mail
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse

from controls import clock
from controls.accounts.invitations import invite, withdraw_invitation
from controls.memberships import RoleOffer
from controls.models import Invitation
from evidence.jobs.leases import revive, take
from evidence.models import InvitationMail
from evidence.notices.invitations import INVITATION_MAILS
from tests.one_day import TODAY
from tests.sign_ins import sign_in_just_now
from tests.smtp import Postbox
from tests.waiting_mails import send_waiting_mails

pytestmark = pytest.mark.django_db
NEW = "dan@example.com"
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def no_limits(settings):
    settings.MFA_REQUIRED = False
    cache.clear()


@pytest.fixture
def officer(oscar, system) -> Client:
    """The officer's browser."""
    return sign_in_just_now(Client(), oscar)


@pytest.fixture
def made(oscar, system) -> Invitation:
    offer = RoleOffer(role="reviewer", starts_on=TODAY)
    return invite(system, NEW, offer, by=oscar, now=clock.now())


@pytest.fixture
def away(settings) -> None:
    """Nobody listens where the mail server should be."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1


def works_again(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def link_of(sent: Any) -> str:
    found = re.search(r"https?://[^/]+(/accounts/invitations/\S+)", sent.body)
    assert found
    return found[1]


def people(officer: Client, system: Any) -> str:
    page = officer.get(reverse("evidence:people", args=[system.slug]))
    return re.sub(r"\s+", " ", page.content.decode())


def state() -> tuple[str, int]:
    job = InvitationMail.objects.get()
    return job.state, job.attempts


def test_no_mail_server_is_asked_while_it_is_written(
    officer, system, away, monkeypatch
) -> None:
    """The page answers as if all were well, since it is: the mail waits."""
    form = {"address": NEW, "role": "reviewer", "starts_on": str(TODAY)}
    page = reverse("evidence:people_invite", args=[system.slug])

    def asked(*args: Any, **kwargs: Any) -> None:
        raise AssertionError("A mail server was asked.")

    with monkeypatch.context() as patch:
        patch.setattr("smtplib.SMTP.connect", asked)
        answer = officer.post(page, form, follow=True)
    assert "An invitation is on its way to dan@example.com" in answer.content.decode()
    assert state() == ("queued", 0)


def test_a_server_that_is_away_costs_no_attempt(settings, made, away) -> None:
    send_waiting_mails()
    assert state() == ("queued", 0)
    assert "does not answer" in InvitationMail.objects.get().error
    assert send_waiting_mails() == 0  # not at once again
    works_again(settings)
    send_waiting_mails(later=HOUR)
    (sent,) = mail.outbox
    assert sent.to == [NEW]
    assert Client().get(link_of(sent)).status_code == 200
    job = InvitationMail.objects.get()
    assert (job.state, job.error) == ("sent", "")
    assert f"<{job.uuid}@" in sent.extra_headers["Message-ID"]
    assert send_waiting_mails(later=24 * HOUR) == 0  # nothing twice


def test_what_no_server_takes_is_said_and_sent_again(
    settings, officer, system, made, postbox: Postbox
) -> None:
    postbox.refusing = True
    for tried in range(INVITATION_MAILS.max_attempts):
        send_waiting_mails(later=tried * 2 * HOUR)
    assert state() == ("failed", INVITATION_MAILS.max_attempts)
    assert Invitation.objects.get().mailed_at is None
    assert "The mail could not be sent. Send it again." in people(officer, system)

    postbox.refusing = False
    page = reverse("evidence:invitation_send", args=[system.slug, made.uuid])
    officer.post(page)
    send_waiting_mails()
    assert len(postbox.mails) == 1
    assert "The mail could not be sent" not in people(officer, system)


def test_an_administrator_begins_it_anew(settings, made, postbox: Postbox) -> None:
    lease = take(INVITATION_MAILS, InvitationMail.objects.get().pk)
    assert lease is not None
    lease.give_up("The server refused.")
    assert Invitation.objects.get().mailed_at is None
    assert revive(INVITATION_MAILS) == 1
    assert Invitation.objects.get().mailed_at is not None
    send_waiting_mails()
    assert len(postbox.mails) == 1


def test_one_that_was_withdrawn_meanwhile_is_not_mailed(oscar, made) -> None:
    withdraw_invitation(made, by=oscar, now=clock.now())
    send_waiting_mails()
    assert (mail.outbox, state()) == ([], ("dropped", 1))


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_the_mail_server(oscar, system, app_dsn, postbox) -> None:
    """While the mail is sent, the rows of the system are free."""
    offer = RoleOffer(role="reviewer", starts_on=TODAY)
    invite(system, NEW, offer, by=oscar, now=clock.now())
    free: list[bool] = []
    perform = INVITATION_MAILS.message

    def look(job: InvitationMail) -> Any:
        with psycopg.connect(app_dsn) as other:
            query = "SELECT 1 FROM controls_system FOR UPDATE NOWAIT"
            free.append(other.execute(query).fetchone() is not None)
        assert not transaction.get_connection().in_atomic_block
        return perform(job)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(INVITATION_MAILS), "message", lambda kind, job: look(job))
        send_waiting_mails()
    assert free == [True]
    assert len(postbox.mails) == 1


@pytest.mark.django_db(transaction=True)
def test_nothing_is_mailed_for_what_was_rolled_back(oscar, system) -> None:
    offer = RoleOffer(role="reviewer", starts_on=TODAY)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        invite(system, NEW, offer, by=oscar, now=clock.now())
        raise ZeroDivisionError
    assert send_waiting_mails() == 0
    assert not InvitationMail.objects.exists()
