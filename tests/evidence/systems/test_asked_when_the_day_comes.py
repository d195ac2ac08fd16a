"""R11: a service entered with a later first day is asked for from that day on, by the
daily task, without anybody's act; and asked once."""

from __future__ import annotations

import datetime as dt

import pytest
from django.urls import reverse

from controls.models import AuditEvent
from evidence import tasks
from evidence.models import RequirementControl
from evidence.status import control_status
from evidence.systems.describe import Use, add_component
from evidence.systems.todays_classes import show_todays_classes
from tests import factories
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
FIRST = TODAY + 10 * DAY


@pytest.fixture
def system(system, oscar):
    """An office is taken into use in ten days: doors and guards become ours as well."""
    RequirementControl.objects.filter(
        system=system, implementation__control__family="pe"
    ).delete()
    use = Use(factories.variant("office:standard"), FIRST)
    add_component(system, use, by=oscar)
    return system


def asked(system, ref_id: str = "pe-3"):
    rows = RequirementControl.objects.filter(
        system=system, implementation__control__ref_id=ref_id
    )
    return [row.operates_from for row in rows]


def test_nothing_is_asked_before_and_each_half_from_the_day_on(system):
    shown = factories.implementation(system, "pe-3")
    assert shown.responsibility == "inherited"
    assert show_todays_classes(system, FIRST - DAY) == 0
    assert asked(system) == []
    added = show_todays_classes(system, FIRST)
    assert added >= 1
    shown.refresh_from_db()
    assert shown.responsibility == "shared"
    assert asked(system) == [FIRST]
    event = AuditEvent.objects.filter(verb="requirements.applied").latest("seq")
    assert event.actor_id is None
    assert show_todays_classes(system, FIRST) == 0
    assert show_todays_classes(system, FIRST + DAY) == 0
    assert asked(system) == [FIRST]


def test_days_without_the_task_are_asked_for_afterwards(system):
    """The machine stood still for three days: no day of our half is unasked."""
    assert show_todays_classes(system, FIRST + 3 * DAY) >= 1
    assert asked(system) == [FIRST]


def test_what_was_there_before_is_asked_no_second_time(system, oscar, as_user):
    """A control that was ours already keeps what is asked of it, and one for which an
    officer asked beforehand gets nothing more."""
    before = RequirementControl.objects.filter(system=system).count()
    url = reverse("evidence:requirement_new", args=[system.slug, "pe-3"])
    sent = {
        "title": "Doors of the office",
        "cadence": "yearly",
        "purpose": "operation",
        "grace_days": "",
        "operates_from": str(TODAY),
    }
    answer = as_user(oscar).post(url, sent)
    assert answer.status_code == 302, answer.content.decode()
    added = show_todays_classes(system, FIRST)
    assert asked(system) == [TODAY]
    total = RequirementControl.objects.filter(system=system).count()
    assert total == before + 1 + added


def test_the_task_does_it_for_every_system(system, monkeypatch):
    monkeypatch.setattr(control_status, "today_of", lambda system: FIRST)
    tasks.show_todays_classes()
    assert asked(system) == [FIRST]
