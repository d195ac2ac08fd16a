"""Sessions that ended by themselves leave no rows behind."""

from __future__ import annotations

import datetime as dt

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

KEPT = dt.timedelta(days=1)  # of what a person's list of sessions would show


def forget_ended_sessions(instant: dt.datetime) -> int:
    """Delete sessions that expired before an instant, and what lists of sessions kept
    of those that are gone for a day; returns how many sessions."""
    ended, _ = Session.objects.filter(expire_date__lt=instant).delete()
    UserSession.objects.filter(last_seen_at__lt=instant - KEPT).exclude(
        session_key__in=Session.objects.values("session_key")
    ).delete()
    return ended
