"""What is set for each connection to the database, and for none through a pooler.

Rule: statements of pages are short, so that none is compiled or given to several
processes; a session that a pooler hands on to others is left as it is.
"""

from __future__ import annotations

import pytest
from django.db import connection

SETTINGS = "SELECT current_setting('jit'), current_setting('{}')".format(
    "max_parallel_workers_per_gather"
)


@pytest.mark.django_db
def test_statements_are_short_but_sessions_of_a_pooler_are_left_alone() -> None:
    other = connection.copy()
    try:
        with connection.cursor() as cursor:
            cursor.execute(SETTINGS)
            assert cursor.fetchone() == ("off", "0")
        other.settings_dict["DISABLE_SERVER_SIDE_CURSORS"] = True  # DATABASE_POOLED
        with other.cursor() as cursor:
            cursor.execute(SETTINGS)
            _, workers = cursor.fetchone()
            assert workers != "0"
    finally:
        other.close()


@pytest.mark.django_db
def test_a_rollback_keeps_the_settings() -> None:
    other = connection.copy()
    try:
        other.set_autocommit(False)
        other.rollback()
        with other.cursor() as cursor:
            cursor.execute(SETTINGS)
            assert cursor.fetchone() == ("off", "0")
    finally:
        other.rollback()
        other.close()
