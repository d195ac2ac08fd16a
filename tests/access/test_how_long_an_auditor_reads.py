"""An auditor reads for the days of the grant, and the database keeps its limits."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse

from controls import clock
from controls.models import Membership
from tests import factories

pytestmark = pytest.mark.django_db
SECOND = dt.timedelta(seconds=1)
MOST = dt.timedelta(days=90)


def test_ac_05_the_last_second_counts_and_the_end_does_not(
    as_user, audrey, system
) -> None:
    """In a session that was opened before."""
    page = reverse("evidence:dashboard", args=[system.slug])
    browser = as_user(audrey)
    ends = clock.now() + dt.timedelta(minutes=5)
    Membership.objects.filter(user=audrey).update(ends_at=ends)
    for instant, status in ((ends - SECOND, 200), (ends, 404), (ends + SECOND, 404)):
        with time_machine.travel(instant, tick=False):
            assert browser.get(page).status_code == status


def test_ac_05_the_database_refuses_a_longer_grant(audrey, system) -> None:
    grant = Membership.objects.filter(user=audrey)
    starts = grant.get().starts_at
    with pytest.raises(IntegrityError), transaction.atomic():
        grant.update(ends_at=starts + MOST + SECOND)
    assert grant.update(ends_at=starts + MOST) == 1


def test_ac_05_an_auditor_belongs_to_an_engagement(mallory, system) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        factories.give_role(mallory, system, "auditor", ends_at=clock.now() + SECOND)


def test_ac_06_the_database_refuses_what_an_auditors_page_would_write(
    as_user, audrey, system, monkeypatch
) -> None:
    """A page that writes by mistake fails; nothing of it is kept."""
    from django.db.utils import InternalError

    from evidence.views import my_work

    def careless(*args: object, **kwargs: object) -> None:
        Membership.objects.filter(user=audrey).update(starts_at=clock.now())

    monkeypatch.setattr(my_work, "render", careless)
    with pytest.raises(InternalError, match="read-only"):
        as_user(audrey).get(reverse("evidence:work"))
