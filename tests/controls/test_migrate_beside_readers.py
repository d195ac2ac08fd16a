"""RE-12: old code goes on reading while a migration changes filled tables under it.

A migration that others hold up gives way after some seconds, whole, and says so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from controls.history import install
from controls.history.lock_limit import LockedByOthers
from controls.models import Team
from tests.one_day import OURS_FIRST

pytestmark = pytest.mark.django_db(transaction=True)
Owner = Callable[[], AbstractContextManager[None]]
TEAMS, SYSTEMS = (
    f"SELECT count(*) FROM controls_{name}_versions" for name in ("team", "system")
)


MANY_TEAMS = """
INSERT INTO controls_team (uuid, slug, name, version)
SELECT gen_random_uuid(), 'team-' || n, 'Team ' || n, 1
  FROM generate_series(1, 10000) AS n
"""


@pytest.fixture
def state() -> ProjectState:
    """The models as the last migration leaves them."""
    loader = MigrationLoader(connection)
    return loader.project_state()


@pytest.fixture
def reader(app_dsn: str) -> Iterator[psycopg.Connection]:
    """Old code on a connection of its own, as the role that serves."""
    with psycopg.connect(app_dsn, autocommit=True) as session:
        session.execute("SET statement_timeout = '20s'")
        yield session


def motto() -> models.Field[Any, Any]:
    """A column that old code need not know to insert a row."""
    return models.CharField(max_length=40, db_default="")


def migrate(state: ProjectState, *operations: Any) -> ProjectState:
    """As the migrate command does it, with what follows after the last one."""
    migration = migrations.Migration("9999_of_a_test", "controls")
    migration.operations = list(operations)
    with connection.schema_editor() as editor:
        state = migration.apply(state, editor)
    after_migrate()
    return state


def after_migrate() -> None:
    """What Django signals once all migrations are applied. What is installed anew is
    put back on the clock of the tests: others in this database follow."""
    install.after_migrate(sender=apps.get_app_config("evidence"), using="default")
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER FUNCTION srm_keep() SET search_path = {OURS_FIRST}")


def columns(view: str) -> list[str]:
    """What a table or view shows, in order."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {view} LIMIT 0")
        return [column.name for column in cursor.description]


@pytest.fixture
def undone(as_owner: Owner, state: ProjectState) -> Iterator[None]:
    """Take back what a test did to the tables, if it did."""
    yield
    with as_owner(), connection.cursor() as cursor:
        for table in ("controls_team", "controls_team_history"):
            cursor.execute("DROP VIEW IF EXISTS controls_team_versions")
            for column in ("motto", "saying"):
                cursor.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS {column}")
        after_migrate()
    assert columns("controls_team_versions")[0] == "known_until"


def test_only_readers_of_the_changed_table_wait_and_none_fails(
    as_owner: Owner,
    state: ProjectState,
    reader: psycopg.Connection,
    app_dsn: str,
    undone: None,
) -> None:
    failures: list[Exception] = []
    waited: list[float] = []

    def read_teams() -> None:
        began = time.monotonic()
        try:
            with psycopg.connect(app_dsn) as session:
                session.execute(TEAMS)
        except psycopg.Error as failure:
            failures.append(failure)
        waited.append(time.monotonic() - began)

    waiting = threading.Thread(target=read_teams)

    def meanwhile(state_apps: Any, editor: Any) -> None:
        reader.execute(SYSTEMS)  # of another table: at once
        waiting.start()
        time.sleep(0.5)
        assert not waited

    add = migrations.AddField("team", "motto", motto())
    with as_owner():
        migrate(state, add, migrations.RunPython(meanwhile))
        waiting.join(20)
        reader.execute(TEAMS)
        assert columns("controls_team_versions")[-1] == "motto"
    assert failures == []
    assert waited[0] >= 0.5


def test_what_a_column_said_is_readable_after_it_was_altered(
    as_owner: Owner, state: ProjectState, undone: None
) -> None:
    """Renamed, then longer: the twin follows, and takes what is longer than before."""
    with as_owner():
        state = migrate(state, migrations.AddField("team", "motto", motto()))
        team = Team.objects.create(slug="a", name="A")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE controls_team SET motto = 'first'")
            migrate(
                state,
                migrations.RenameField("team", "motto", "saying"),
                migrations.AlterField(
                    "team", "saying", models.CharField(max_length=90, db_default="")
                ),
            )
            cursor.execute("UPDATE controls_team SET saying = %s", ["s" * 80])
            cursor.execute("UPDATE controls_team SET saying = 'last'")
            cursor.execute(
                "SELECT saying FROM controls_team_versions WHERE id = %s"
                " ORDER BY known_from",
                [team.pk],
            )
            said = [row[0] for row in cursor.fetchall()]
    assert said == ["", "first", "s" * 80, "last"]


def test_a_migration_gives_way_to_a_long_reader(
    as_owner: Owner, state: ProjectState, app_dsn: str, settings: Any, undone: None
) -> None:
    settings.MIGRATION_LOCK_TIMEOUT = 0.3
    with psycopg.connect(app_dsn) as writer:
        writer.execute(MANY_TEAMS)
    with as_owner(), psycopg.connect(app_dsn) as reader:
        reader.execute(TEAMS)  # its transaction stays open
        began = time.monotonic()
        with pytest.raises(LockedByOthers, match=r"0\.3 s.*Run migrate again"):
            migrate(state, migrations.AddField("team", "motto", motto()))
        assert time.monotonic() - began < 5
        reader.execute(TEAMS)
        reader.rollback()
        assert "motto" not in columns("controls_team")
        assert "motto" not in columns("controls_team_versions")
        migrate(state, migrations.AddField("team", "motto", motto()))
        assert "motto" in columns("controls_team_versions")
    assert Team.objects.count() == 10_000


def test_a_migrate_that_changes_nothing_waits_for_no_reader(
    as_owner: Owner, app_dsn: str, settings: Any
) -> None:
    settings.MIGRATION_LOCK_TIMEOUT = 0.3
    with as_owner(), psycopg.connect(app_dsn) as busy:
        busy.execute(TEAMS)
        busy.execute(
            "INSERT INTO controls_team (uuid, slug, name, version)"
            " VALUES (gen_random_uuid(), 'b', 'B', 1)"
        )
        after_migrate()
        busy.rollback()
