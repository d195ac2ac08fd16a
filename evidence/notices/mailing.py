"""Digests: one mail per person and run, as often as the person wants.

How a mail leaves: `evidence.notices.sending`. Whether the person may still be told, and
still wants mail, is asked when the mail is made and again before it leaves (AC-03).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from celery import shared_task
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse

from controls.models import User
from evidence.jobs.work import work_on
from evidence.models.notices import (
    Frequency,
    Notice,
    NoticeMail,
    NoticePreference,
)
from evidence.notices.lines import NoticeLine, lines_of
from evidence.notices.reading import frequency_of
from evidence.notices.sending import OVER, MailKind, headers_of

MAX_ROWS = 50  # of one mail, in full
HOUR = 7  # UTC, of daily and weekly mails


def slot(frequency: str, instant: dt.datetime) -> dt.datetime | None:
    """Since when a mail of this frequency may have been made; None: never.

    Daily: the last 07:00 UTC; weekly: that of the last Monday; at once: always.
    """
    if frequency == Frequency.OFF:
        return None
    if frequency == Frequency.IMMEDIATE:
        return instant
    start = instant.replace(hour=HOUR, minute=0, second=0, microsecond=0)
    if start > instant:
        start -= dt.timedelta(days=1)
    if frequency == Frequency.WEEKLY:
        start -= dt.timedelta(days=start.weekday())
    return start


def make_mails(instant: dt.datetime) -> list[int]:
    """Queue a mail for everybody whose time has come; returns their keys."""
    waiting = _unmailed().values("user")
    chosen = dict(
        NoticePreference.objects.filter(user__in=waiting).values_list(
            "user_id", "frequency"
        )
    )
    last = dict(_last_mails(waiting))
    people = User.objects.filter(pk__in=waiting, is_active=True).exclude(email="")
    keys: list[int] = []
    for pk in people.order_by("pk").values_list("pk", flat=True):
        since = slot(chosen.get(pk, Frequency.DAILY), instant)
        before = last.get(pk)
        if since is not None and (before is None or before < since):
            keys += _queue(pk, since, instant)
    return keys


def _last_mails(users: Any) -> Any:
    newest = NoticeMail.objects.filter(user__in=users).order_by("user", "-created_at")
    return newest.distinct("user").values_list("user_id", "created_at")


def _unmailed() -> Any:
    return Notice.objects.unread().permitted().filter(mail=None)


@transaction.atomic
def _queue(user: int, since: dt.datetime, instant: dt.datetime) -> list[int]:
    """One mail with all that is unread and in no mail yet.

    The person is locked; nothing is made if another worker made one meanwhile.
    """
    User.objects.select_for_update(no_key=True).get(pk=user)
    if NoticeMail.objects.filter(user=user, created_at__gte=since).exists():
        return []
    rows = list(_unmailed().filter(user=user).values_list("pk", flat=True))
    if not rows:
        return []
    mail = NoticeMail.objects.create(user_id=user, rows=len(rows), created_at=instant)
    Notice.objects.filter(pk__in=rows).update(mail=mail)
    return [mail.pk]


class MailJob(MailKind[NoticeMail]):
    """Sends one mail, unless its person may not be told or wants no mail any more."""

    @property
    def task(self) -> Any:
        """See `send_mail`."""
        return send_mail

    def unfinished(self) -> QuerySet[NoticeMail]:
        """Neither sent nor dropped."""
        return NoticeMail.objects.exclude(state__in=OVER).select_related("user")

    def is_wanted(self, mail: NoticeMail) -> bool:
        """Whether the person is still here, wants mail, and may see any row of it."""
        wants_mail = frequency_of(mail.user) != Frequency.OFF
        return mail.user.is_active and wants_mail and _rows(mail).exists()

    def message(self, mail: NoticeMail) -> EmailMultiAlternatives:
        """What may still be seen, at most 50 lines in full."""
        return message(mail)


MAILS = MailJob()


def send(pk: int, instant: dt.datetime) -> str:
    """Send one mail unless somebody else does; returns its state afterwards."""
    work_on(MAILS, pk, lambda: instant)
    return str(NoticeMail.objects.values_list("state", flat=True).get(pk=pk))


def _rows(mail: NoticeMail) -> Any:
    return Notice.objects.filter(mail=mail).permitted()


def message(mail: NoticeMail) -> EmailMultiAlternatives:
    """The mail as text and HTML: what may still be seen, at most 50 lines in full."""
    lines = lines_of(_rows(mail).select_related("system").order_by("system", "pk"))
    waiting = [line for line in lines if not line.only_information]
    news = [line for line in lines if line.only_information]
    shown = [(line, settings.SITE_URL + line.path) for line in lines[:MAX_ROWS]]
    context = {
        "user": mail.user,
        "waiting": shown[: len(waiting)],
        "news": shown[len(waiting) :],
        "more": max(0, len(lines) - MAX_ROWS),
        "work": settings.SITE_URL + reverse("evidence:work"),
        "all": settings.SITE_URL + reverse("evidence:notices"),
        "settings": settings.SITE_URL + reverse("evidence:notice_settings"),
    }
    subject = _subject(waiting, news)
    mail_message = EmailMultiAlternatives(
        subject=f"SRM: {' '.join(subject.split())}"[:150],
        body=render_to_string("emails/notices.txt", context),
        to=[mail.user.email],
        headers=headers_of(mail.uuid),
    )
    mail_message.attach_alternative(
        render_to_string("emails/notices.html", context), "text/html"
    )
    return mail_message


def _subject(waiting: list[NoticeLine], news: list[NoticeLine]) -> str:
    """How many things wait; what it says where it is one. News is not counted."""
    if len(waiting) > 1:
        return f"{len(waiting)} things wait for you"
    if waiting or len(news) == 1:
        return [*waiting, *news][0].sentence
    return f"{len(news)} things for your information"


# The name is fixed: messages of the version before name it so.
@shared_task(name="evidence.tasks.send_mail", ignore_result=True, acks_late=True)
def send_mail(mail_pk: int) -> None:
    """Send one mail; may run twice, sends once."""
    work_on(MAILS, mail_pk)
