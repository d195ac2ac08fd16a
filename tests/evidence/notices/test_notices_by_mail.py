"""Notices come by mail as often as people chose, in one mail each time."""

from __future__ import annotations

import datetime as dt
from email.header import decode_header, make_header
from pathlib import Path

import pytest

from controls import clock
from evidence.jobs.leases import due
from evidence.models import (
    EvidenceLink,
    NoticeMail,
    NoticePreference,
)
from evidence.notices import mailing
from evidence.notices.gathering import gather_notices
from tests.evidence.house import House, submitted
from tests.evidence.notices import telling
from tests.evidence.notices.telling import DAY

pytestmark = pytest.mark.django_db
NOON = clock.now().replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    return telling.build(settings, tmp_path)


def choose(house: House, name: str, frequency: str) -> None:
    NoticePreference.objects.update_or_create(
        user=house.people[name], defaults={"frequency": frequency}
    )


def run(instant: dt.datetime) -> None:
    """What beat does every minute."""
    gather_notices(instant)
    mailing.make_mails(instant)
    for mail in due(mailing.MAILS, instant):
        mailing.send(mail.pk, instant)


def test_one_mail_however_many_rows(house, postbox):
    choose(house, "rita", "immediate")
    for name in ("raul", "olivia"):
        choose(house, name, "off")
    for number in range(60):
        link = submitted(house, str(number))
        # not in one act: five minutes apart
        at = NOON - dt.timedelta(minutes=5 * (61 - number))
        EvidenceLink.objects.filter(pk=link.pk).update(submitted_at=at)
    run(NOON)
    (mail,) = postbox.mails
    assert mail["To"] == "rita@example.test"
    assert mail["Subject"] == "SRM: 60 things wait for you"
    text, html = (part.get_payload(decode=True).decode() for part in mail.get_payload())
    # each row, the list, the settings
    assert text.count("/notices/") == 50 + 2
    assert "And 10 more" in text
    assert html.count("<li>") == 50
    assert "http://localhost:8000/notices/" in text
    run(NOON + dt.timedelta(minutes=1))
    assert len(postbox.mails) == 1
    assert NoticeMail.objects.get().state == "sent"


def test_names_with_line_breaks_add_no_header(house, postbox):
    choose(house, "rita", "immediate")
    link = submitted(house)
    evidence = link.revision.evidence
    evidence.title = "One\r\nBcc: all@example.test"
    evidence.save(update_fields=["title"])
    for name in ("raul", "olivia"):
        choose(house, name, "off")
    run(NOON)
    (mail,) = postbox.mails
    assert mail["Bcc"] is None
    subject = str(make_header(decode_header(mail["Subject"])))
    assert "One Bcc: all@example.test" in " ".join(subject.split())


@pytest.mark.parametrize(
    ("frequency", "expected"),
    [("immediate", 4), ("daily", 2), ("weekly", 1), ("off", 0)],
)
def test_mail_comes_as_often_as_chosen(house, postbox, frequency, expected):
    monday = dt.datetime(2026, 11, 23, 8, 0, tzinfo=dt.UTC)
    for name in ("raul", "olivia"):
        choose(house, name, "off")
    choose(house, "rita", frequency)
    moments = (monday, monday + dt.timedelta(hours=3), monday + DAY, monday + DAY * 1.1)
    for number, moment in enumerate(moments):
        submitted(house, str(number))
        run(moment)
    assert len(postbox.mails) == expected


def test_a_mail_that_fails_is_tried_again_and_sent_once(house, postbox):
    choose(house, "rita", "immediate")
    for name in ("raul", "olivia"):
        choose(house, name, "off")
    submitted(house)
    postbox.refusing = True
    run(NOON)
    mail = NoticeMail.objects.get()
    assert (mail.state, mail.attempts) == ("failed", 1)
    assert "Not now" in mail.error
    postbox.refusing = False
    run(NOON + dt.timedelta(minutes=1))
    assert postbox.mails == []
    run(NOON + dt.timedelta(minutes=6))
    assert len(postbox.mails) == 1
    run(NOON + dt.timedelta(minutes=60))
    assert len(postbox.mails) == 1
    mail.refresh_from_db()
    assert (mail.state, mail.error) == ("sent", "")


def test_two_workers_send_one_mail(house, postbox):
    choose(house, "rita", "immediate")
    submitted(house)
    gather_notices(NOON)
    (pk, *_) = mailing.make_mails(NOON)
    assert mailing.make_mails(NOON) == []
    NoticeMail.objects.filter(pk=pk).update(
        state="sending", leased_until=NOON + dt.timedelta(minutes=10)
    )
    assert mailing.send(pk, NOON) == "sending"
    assert postbox.mails == []


def test_a_server_that_is_away_is_said(house, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    choose(house, "rita", "immediate")
    submitted(house)
    run(NOON)
    assert "refused" in NoticeMail.objects.filter(user=house.rita).get().error
