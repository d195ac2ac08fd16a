"""Somebody sees how proof went: the end of each month, as it was known then."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from controls.models import System
from evidence.status.trend import month_ends, trend

pytestmark = pytest.mark.django_db
days = st.dates(dt.date(2000, 1, 1), dt.date(2100, 12, 31))


@pytest.fixture(autouse=True)
def nothing_kept():
    cache.clear()


def day_recorded(system: System) -> dt.date:
    """The system's day on which it became known: the first that a trend has."""
    return system.day_of(System.objects.get(pk=system.pk).known_from)


@given(days, st.integers(1, 40))
def test_month_ends_are_the_last_days_of_the_months_before(until, months) -> None:
    found = month_ends(until, months)
    assert len(found) == months
    assert found == sorted(set(found))
    assert found[-1] == until
    for day in found[:-1]:
        assert (day + dt.timedelta(days=1)).day == 1


def test_a_system_has_no_past_before_it_was_recorded(system) -> None:
    recorded_on = day_recorded(system)
    points = trend(system, recorded_on)
    assert [point.day for point in points] == [recorded_on]
    assert points[0].total == system.implementations.count()
    assert sum(part.count for part in points[0].parts) == points[0].total


def test_what_is_past_is_asked_once(system) -> None:
    today = day_recorded(system)
    with CaptureQueriesContext(connection) as first:
        points = trend(system, today)
    with CaptureQueriesContext(connection) as again:
        assert trend(system, today) == points
    asked = [each["sql"] for each in again if "controls_system_versions" in each["sql"]]
    assert len(asked) == 1  # today, whose day is not over
    assert len(again) < len(first)


def test_a_day_that_is_not_over_is_never_kept(system) -> None:
    later = day_recorded(system) + dt.timedelta(days=40)
    trend(system, later, 1)
    with CaptureQueriesContext(connection) as again:
        trend(system, later, 1)
    assert any("evidence_proof" in each["sql"] for each in again)


def test_the_page_and_the_part_say_the_same_as_the_api(system, alice, as_user) -> None:
    browser = as_user(alice)
    here = reverse("evidence:trend", args=[system.slug])
    page = browser.get(here).content.decode()
    part = browser.get(here, headers={"HX-Request": "true"}).content.decode()
    assert "<html" in page
    assert "<html" not in part
    assert part.strip() in page
    said = browser.get(reverse("api_trend", args=[system.slug])).json()
    assert said[-1]["on"] == str(day_recorded(system))
    assert sum(said[-1]["verdicts"].values()) == system.implementations.count()
    dashboard = browser.get(reverse("evidence:dashboard", args=[system.slug]))
    assert f'hx-get="{here}"' in dashboard.content.decode()
