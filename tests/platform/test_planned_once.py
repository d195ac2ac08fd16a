"""Short statements with fixed texts are planned once for each connection.

Rule: statements of few keys are kept by the server with their plan; those of many keys,
and all through a pooler in transaction mode, are planned for their parameters.
"""

from __future__ import annotations

import datetime as dt
import sys

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from evidence.status.rows import FEW, Moment, as_bigints, read_rows
from srm_project.database_settings import database_entry

MOMENT = Moment(dt.date(2026, 11, 23))
TEAMS = (
    "SELECT id, name FROM {team} WHERE id = ANY(%(teams)s) AND %(day)s > '2026-01-01'"
)
KEPT = """
SELECT generic_plans, custom_plans FROM pg_prepared_statements
 WHERE statement LIKE '%controls_team%'
"""


def kept() -> list[tuple[int, int]]:
    """How often each kept statement went by its kept plan, and by one of its own."""
    with connection.cursor() as cursor:
        cursor.execute(KEPT)
        return list(cursor.fetchall())


@pytest.mark.django_db(transaction=True)
def test_a_statement_of_few_keys_is_planned_once_and_one_of_many_each_time() -> None:
    connection.close()
    with connection.cursor() as cursor:  # else it compares costs
        cursor.execute("SET plan_cache_mode = force_generic_plan")
    with CaptureQueriesContext(connection) as statements:
        for number in range(8):
            keys = as_bigints(range(number % FEW + 1))
            assert read_rows(TEAMS, MOMENT, teams=keys) == []
    assert len(statements) == 8  # counted as any other
    assert kept() == [(8, 0)]
    assert read_rows(TEAMS, MOMENT, teams=as_bigints(range(FEW + 1))) == []
    assert read_rows(TEAMS, MOMENT, teams=list(range(FEW + 1))) == []
    assert kept() == [(8, 0)]
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_kept_through_a_pooler() -> None:
    url = "postgresql://app@localhost/srm"
    direct = database_entry(url, name="DATABASE_URL")
    pooled = database_entry(url, name="DATABASE_URL", pooled=True)
    assert direct["OPTIONS"]["prepare_threshold"] == sys.maxsize
    assert pooled["OPTIONS"]["prepare_threshold"] is None
    connection.close()
    connection.ensure_connection()
    connection.connection.prepare_threshold = None  # as DATABASE_POOLED leaves it
    try:
        assert read_rows(TEAMS, MOMENT, teams=as_bigints([1])) == []
        assert kept() == []
    finally:
        connection.close()
