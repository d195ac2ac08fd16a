"""RE-07: a session that ended leaves no row for ever."""

from __future__ import annotations

import datetime as dt

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session

from controls import clock
from evidence.tasks import sweep_store

pytestmark = pytest.mark.django_db
PASSWORD = "a password of alice"


def test_the_night_takes_sessions_that_expired(client, alice, settings) -> None:
    settings.MFA_REQUIRED = False
    alice.set_password(PASSWORD)
    alice.save()
    form = {"login": alice.email, "password": PASSWORD}
    client.post("/accounts/login/", form)
    assert Session.objects.count() == UserSession.objects.count() == 1
    sweep_store()
    assert Session.objects.count() == UserSession.objects.count() == 1
    now = clock.now()
    Session.objects.update(expire_date=now - dt.timedelta(minutes=1))
    sweep_store()
    assert not Session.objects.exists()
    assert UserSession.objects.count() == 1, "the person's list says it for a day"
    UserSession.objects.update(last_seen_at=now - dt.timedelta(days=2))
    sweep_store()
    assert not UserSession.objects.exists()
    assert client.get("/work/").status_code == 302
