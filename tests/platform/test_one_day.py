"""Tests run on one day, for Python and for the database, whatever the machine says."""

from __future__ import annotations

import datetime as dt

import psycopg
import pytest
from django.db import connection

from controls import clock
from controls.history.clock import knowledge_now, wait_for_older_writers
from controls.models import Team
from evidence.status.control_status import now
from tests.one_day import BEGINS, TODAY, real_time

SECOND = dt.timedelta(seconds=1)
LONGEST_RUN = dt.timedelta(hours=14)  # then it would be another day


def test_it_is_the_same_day_for_python_and_the_database(db) -> None:
    assert clock.today() == dt.date.today() == TODAY
    assert BEGINS < clock.now() < BEGINS + LONGEST_RUN
    for told in (knowledge_now, now):
        before = clock.now()
        assert before - SECOND < told() < clock.now() + SECOND


def test_what_is_written_is_known_since_that_day(db) -> None:
    """When it came, and after it was deleted when it went."""
    team = Team.objects.create(name="Night", slug="night")
    Team.objects.filter(pk=team.pk).delete()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT known_from, known_until FROM controls_team_history WHERE id = %s",
            [team.pk],
        )
        ((came, went),) = cursor.fetchall()
    assert BEGINS < came < went < clock.now() + SECOND


@pytest.mark.django_db(transaction=True)
def test_writers_are_waited_for_by_the_same_clock(app_dsn) -> None:
    with psycopg.connect(app_dsn) as writer:
        writer.execute("SELECT pg_current_xact_id()")  # one that writes
        assert not wait_for_older_writers(knowledge_now(), seconds=0)
        assert wait_for_older_writers(BEGINS, seconds=0)
        writer.rollback()


def test_in_real_time_python_has_the_clock_of_files(tmp_path) -> None:
    path = tmp_path / "file"
    with real_time():
        path.touch()
        age = dt.datetime.now(dt.UTC).timestamp() - path.stat().st_mtime
    assert abs(age) < 60
    assert clock.today() == TODAY
