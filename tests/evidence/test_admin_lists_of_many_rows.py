"""Every list of the administration stays quick when its table has 10,000 rows more.

Whatever the table holds, a list asks the database fewer than 15 times, and as often as
for a few rows. The rows are copies, written by the owner role past what keeps them
apart, in a transaction that is taken back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.admin import site
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from controls.models import User
from tests.access import world as worlds
from tests.sign_ins import sign_in_just_now

MAX_STATEMENTS = 15  # below this
MANY = 10_000
APPS = ("controls", "evidence")
# What keeps rows apart, beside the keys that the database gives by itself.
APART = """
SELECT DISTINCT c.conname FROM pg_constraint c
JOIN unnest(c.conkey) k(attnum) ON true
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k.attnum
WHERE c.conrelid = %s::regclass AND c.contype IN ('p', 'u', 'x')
  AND NOT (c.contype = 'p' AND a.attidentity <> '')
"""
APART_BY_INDEX = """
SELECT i.indexrelid::regclass::text FROM pg_index i
WHERE i.indrelid = %s::regclass AND (i.indisunique OR i.indisexclusion)
  AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
"""
COLUMNS = """
SELECT attname, atttypid = 'uuid'::regtype AND attname = 'uuid' FROM pg_attribute
WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped
  AND attidentity = '' AND attgenerated = ''
"""


class Undo(Exception):
    """Raised to take back what was written."""


@pytest.fixture
def boss(settings: Any, tmp_path: Any, transactional_db: Any) -> Client:
    """The browser of a superuser, where there is one row of every kind."""
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    worlds.build()
    return sign_in_just_now(
        Client(), User.objects.create_superuser("root@example.test")
    )


def statements(browser: Client, model: type[Model]) -> int:
    """How often the list of a model asks the database."""
    meta = model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200, model
    return len(captured)


@contextmanager
def many_rows(table: str) -> Iterator[int]:
    """Within, the table holds MANY rows more, each a copy of its first."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(APART, [table])
            for (name,) in cursor.fetchall():
                cursor.execute(
                    f'ALTER TABLE "{table}" DROP CONSTRAINT "{name}" CASCADE'
                )
            cursor.execute(APART_BY_INDEX, [table])
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP INDEX {name} CASCADE")
            cursor.execute(COLUMNS, [table])
            columns = cursor.fetchall()
            names = ", ".join(f'"{name}"' for name, _ in columns)
            values = ", ".join(
                "gen_random_uuid()" if own else f'one."{name}"' for name, own in columns
            )
            cursor.execute(
                f'INSERT INTO "{table}" ({names}) SELECT {values}'
                f' FROM (SELECT * FROM "{table}" LIMIT 1) one, generate_series(1, %s)',
                [MANY],
            )
            yield cursor.rowcount
            raise Undo
    except Undo:
        return


@pytest.mark.slow
def test_each_list_asks_as_much_of_ten_thousand_rows_as_of_one(boss, as_owner) -> None:
    models = [m for m in site._registry if m._meta.app_label in APPS]
    boss.get("/admin/")  # what is kept between requests is kept from here on
    often, more, empty = {}, {}, []
    with as_owner():
        for model in models:
            few = statements(boss, model)
            with many_rows(model._meta.db_table) as written:
                many = statements(boss, model)
            if not written:
                empty.append(model.__name__)
            if many >= MAX_STATEMENTS:
                often[model.__name__] = many
            if many > few:
                more[model.__name__] = (few, many)
    assert often == {}
    assert more == {}
    assert len(models) - len(empty) > 60, empty
