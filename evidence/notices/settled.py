"""Notices that are settled go after a while: their table does not grow for ever.

Settled is what is over, and news that was read: an acceptance, a rejection, a virus, a
returned answer. What a source would tell again stays, or it would be told twice.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from evidence.models.notices import PASSING, Notice, NoticeMail
from evidence.notices.gathering import addressed, candidates_of, wait_for_other_runs
from evidence.notices.mailing import OVER


@transaction.atomic
def forget_settled(instant: dt.datetime) -> int:
    """Delete notices settled for over NOTICES_KEPT_DAYS, and mails left empty.

    Returns how many notices went. A constant number of statements.
    """
    before = instant - dt.timedelta(days=settings.NOTICES_KEPT_DAYS)
    wait_for_other_runs()
    told_still = addressed(candidates_of(instant))
    news_read = Q(read_at__lt=before) & ~Q(kind__in=PASSING)
    settled = Notice.objects.filter(Q(ended_at__lt=before) | news_read)
    rows = settled.values_list("pk", "user_id", "key")
    keys = [pk for pk, user, key in rows if (user, key) not in told_still]
    Notice.objects.filter(pk__in=keys).delete()
    mails = NoticeMail.objects.filter(created_at__lt=before, state__in=OVER)
    mails.filter(notices=None).delete()
    return len(keys)
