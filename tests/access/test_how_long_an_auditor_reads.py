"""AC-05: an auditor reads for the days of the grant; the database keeps its limits."""

from __future__ import annotations

import datetime as dt
from importlib import import_module

import pytest
import time_machine
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction
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


# --- two grants at once -------------------------------------------------------------


def again(audrey, system, starts_at: dt.datetime, days: int = 10) -> Membership:
    """Another grant of the same auditor, in the audit of the first."""
    first = Membership.objects.filter(user=audrey).earliest("starts_at")
    return factories.give_role(
        audrey,
        system,
        "auditor",
        engagement=first.engagement,
        starts_at=starts_at,
        ends_at=starts_at + dt.timedelta(days=days),
    )


def test_ac_05_the_database_lets_an_auditor_in_once_at_a_time(audrey, system) -> None:
    """The end is exclusive, so the next grant may begin with it."""
    first = Membership.objects.get(user=audrey)
    for starts in (first.starts_at, first.ends_at - SECOND, first.starts_at - SECOND):
        with pytest.raises(IntegrityError, match="once_at_a_time"):
            with transaction.atomic():
                again(audrey, system, starts)
    follows = again(audrey, system, first.ends_at)
    with pytest.raises(IntegrityError, match="once_at_a_time"), transaction.atomic():
        Membership.objects.filter(pk=follows.pk).update(starts_at=first.starts_at)


def test_ac_05_other_people_and_other_systems_are_not_in_the_way(
    audrey, mallory, oscar, system
) -> None:
    factories.let_auditor_in(mallory, system)
    factories.let_auditor_in(audrey, factories.make_system(oscar, slug="other"))
    factories.give_role(audrey, system, "reader")
    assert Membership.objects.filter(role="auditor").count() == 3


def test_ac_05_the_admin_says_so(as_user, audrey, system) -> None:
    first = Membership.objects.get(user=audrey)
    form = {
        "user": audrey.pk,
        "system": system.pk,
        "role": "auditor",
        "engagement": first.engagement_id,
        "starts_at_0": first.starts_at.date(),
        "starts_at_1": "23:00",
        "ends_at_0": first.ends_at.date(),
        "ends_at_1": "23:00",
    }
    page = reverse("admin:controls_membership_add")
    answer = as_user(factories.administrator()).post(page, form)
    assert "This auditor is let in at that time already." in answer.content.decode()
    assert Membership.objects.filter(user=audrey).count() == 1


def test_ac_05_what_a_membership_said_before_is_kept(audrey, system) -> None:
    """By the database, whoever changes it."""
    membership = Membership.objects.get(user=audrey)
    sooner = membership.ends_at - dt.timedelta(days=3)
    Membership.objects.filter(pk=membership.pk).update(ends_at=sooner)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ends_at, known_until IS NULL FROM controls_membership_versions"
            " WHERE id = %s ORDER BY known_from",
            [membership.pk],
        )
        assert cursor.fetchall() == [(membership.ends_at, False), (sooner, True)]


@pytest.mark.django_db(transaction=True)
def test_ac_05_an_upgrade_names_the_grants_that_overlap(
    audrey, system, as_owner
) -> None:
    """It changes nothing, and says what to do."""
    name = "controls.migrations.0025_auditors_once_at_a_time"
    refuse = import_module(name).name_overlaps
    first = Membership.objects.get(user=audrey)
    with as_owner(), connection.schema_editor() as editor:
        refuse(None, editor)
        with connection.cursor() as cursor:  # as it was then: a later one is wider
            cursor.execute(
                "ALTER TABLE controls_membership"
                " DROP CONSTRAINT membership_auditor_once_at_a_time,"
                " DROP CONSTRAINT membership_once_at_a_time"
            )
        again(audrey, system, first.ends_at - SECOND)
        with pytest.raises(CommandError) as refusal:
            refuse(None, editor)
        transaction.set_rollback(True)
    said = str(refusal.value)
    assert "audrey@example.com in payments" in said
    assert f"until {first.ends_at:%Y-%m-%d %H:%M}" in said
    assert "End one of each two" in said
