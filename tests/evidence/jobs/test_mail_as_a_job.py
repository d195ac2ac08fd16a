"""A mail leaves once; a server that is away is waited for, one that refuses is not."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from controls import clock
from evidence.jobs.work import sweep
from evidence.models import NoticeMail
from evidence.models.notices import NoticePreference
from evidence.notices import sending
from evidence.notices.mailing import MAILS, send_mail
from evidence.tasks import tell_people
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.evidence.jobs.chores import in_another_connection

pytestmark = pytest.mark.django_db(transaction=True)
PAST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    built = houses.build()
    for name, person in built.people.items():
        frequency = "immediate" if name == "rita" else "off"
        NoticePreference.objects.create(user=person, frequency=frequency)
    return built


@pytest.fixture
def mail(house) -> NoticeMail:
    """Rita's, made by what beat runs every minute."""
    submitted(house)
    tell_people()
    return NoticeMail.objects.get()


def stored() -> NoticeMail:
    return NoticeMail.objects.get()


def send_now(mail: NoticeMail) -> None:
    NoticeMail.objects.update(due_at=None)
    send_mail(mail.pk)


def test_a_server_that_is_away_spends_no_attempt(client, house, mail, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    for _ in range(9):
        send_now(mail)
    assert (stored().state, stored().attempts, stored().waits) == ("queued", 0, 9)
    client.force_login(house.rita)
    page = client.get("/notices/").content.decode()
    assert "(The mail server does not answer" in page
    assert "refused" in page


def test_a_server_that_refuses_is_given_up_with_its_words(client, house, mail, postbox):
    postbox.refusing = True
    for _ in range(6):
        send_now(mail)
    assert stored().given_up_at is not None
    client.force_login(house.rita)
    page = client.get("/notices/").content.decode()
    assert "(Given up after 6 attempts." in page
    assert "Not now" in page
    postbox.refusing = False
    send_now(mail)
    assert sweep(MAILS) == 0
    assert postbox.mails == []


def test_whose_lease_was_taken_while_connecting_sends_nothing(
    mail, postbox, monkeypatch
):
    get_connection = sending.get_connection

    def connect_slowly() -> Any:
        assert not connection.in_atomic_block
        monkeypatch.undo()
        NoticeMail.objects.update(leased_until=PAST)
        in_another_connection(lambda: send_mail(mail.pk) or True)
        return get_connection()

    monkeypatch.setattr(sending, "get_connection", connect_slowly)
    send_mail(mail.pk)
    assert len(postbox.mails) == 1
    assert (stored().state, stored().attempts) == ("sent", 2)
    assert stored().sent_at <= clock.now()
