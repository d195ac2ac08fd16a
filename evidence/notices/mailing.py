"""Digests: one mail per person and run, as often as the person wants.

At least once: a worker that dies between the server's yes and our record sends the
mail again, under the same Message-ID.
"""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.urls import reverse

from controls.models import User
from evidence.models.notices import (
    Frequency,
    MailState,
    Notice,
    NoticeMail,
    NoticePreference,
)

SHOWN = 50
HOUR = 7  # UTC, of daily and weekly mails
LEASE = dt.timedelta(minutes=10)
ATTEMPTS = 6
AGAIN = dt.timedelta(minutes=5)
log = logging.getLogger("srm.mail")


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
    made = []
    for pk in people.order_by("pk").values_list("pk", flat=True):
        since = slot(chosen.get(pk, Frequency.DAILY), instant)
        before = last.get(pk)
        if since is not None and (before is None or before < since):
            made += _queue(pk, instant)
    return made


def _last_mails(users: Any) -> Any:
    newest = NoticeMail.objects.filter(user__in=users).order_by("user", "-created_at")
    return newest.distinct("user").values_list("user_id", "created_at")


def _unmailed() -> Any:
    return Notice.objects.unread().filter(mail=None)


@transaction.atomic
def _queue(user: int, instant: dt.datetime) -> list[int]:
    """One mail with all that is unread and in no mail yet; the person is locked."""
    User.objects.select_for_update(no_key=True).get(pk=user)
    rows = list(_unmailed().filter(user=user).values_list("pk", flat=True))
    if not rows:
        return []
    mail = NoticeMail.objects.create(user_id=user, rows=len(rows), created_at=instant)
    Notice.objects.filter(pk__in=rows).update(mail=mail)
    return [mail.pk]


def unsent(instant: dt.datetime) -> list[int]:
    """Mails in nobody's hands that are queued, failed some time ago, or stuck."""
    free = Q(leased_until=None) | Q(leased_until__lt=instant)
    found = NoticeMail.objects.filter(free, attempts__lt=ATTEMPTS)
    rows = found.exclude(state=MailState.SENT).order_by("pk")
    return list(rows.values_list("pk", flat=True)[:500])


def send(pk: int, instant: dt.datetime) -> str:
    """Send one mail unless somebody else does; returns its state afterwards."""
    free = Q(leased_until=None) | Q(leased_until__lt=instant)
    mine = NoticeMail.objects.filter(free, pk=pk, attempts__lt=ATTEMPTS)
    taken = mine.exclude(state=MailState.SENT).update(
        state=MailState.SENDING,
        leased_until=instant + LEASE,
        attempts=F("attempts") + 1,
    )
    mail = NoticeMail.objects.select_related("user").get(pk=pk)
    if not taken:
        return str(mail.state)
    try:
        message(mail).send()
    except OSError as failure:  # of the network, and all that smtplib raises
        log.warning("Mail %s was not sent: %s", mail.uuid, failure)
        mail.state, mail.error = MailState.FAILED, str(failure)[:300]
        mail.leased_until = instant + AGAIN * mail.attempts
    else:
        mail.state, mail.error, mail.leased_until = MailState.SENT, "", None
        mail.sent_at = instant
    mail.save(update_fields=["state", "error", "leased_until", "sent_at"])
    return str(mail.state)


def message(mail: NoticeMail) -> EmailMultiAlternatives:
    """The mail as text and HTML, at most 50 rows in full."""
    rows = list(mail.notices.select_related("system").order_by("system", "pk")[:SHOWN])
    context = {
        "user": mail.user,
        "rows": [(row, link(row)) for row in rows],
        "more": max(0, mail.rows - len(rows)),
        "all": settings.SITE_URL + reverse("evidence:notices"),
        "settings": settings.SITE_URL + reverse("evidence:notice_settings"),
        "total": mail.rows,
    }
    subject = rows[0].sentence if mail.rows == 1 else f"{mail.rows} things wait for you"
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    made = EmailMultiAlternatives(
        subject=f"SRM: {' '.join(subject.split())}"[:150],
        body=render_to_string("evidence/mail/notices.txt", context),
        to=[mail.user.email],
        headers={
            "Message-ID": f"<{mail.uuid}@{host}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    made.attach_alternative(
        render_to_string("evidence/mail/notices.html", context), "text/html"
    )
    return made


def link(notice: Notice) -> str:
    """Where the one thing is opened, marked as read on the way."""
    return settings.SITE_URL + reverse("evidence:notice", args=[notice.uuid])
