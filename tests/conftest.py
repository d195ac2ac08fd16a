"""What every test gets: a migrated database, the app's rights, no network.

Run with `make test` or `python -m srm_project.local test -- ARGS`: both start a
database and a broker that no other run shares. Tables are made by the owner role;
tests connect as the application role. The first part of this file is about the
database; people and systems that stories share are further down.
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.core.cache import caches
from django.core.management import call_command, get_commands
from django.db import connections
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests import kept_template

# a hook and a fixture of every test besides
from tests.one_day import (
    BEGINS,
    machine_time,  # noqa: F401
    move_the_clock_of,
    pytest_configure,  # noqa: F401
)

pytest_plugins = [
    "tests.people",
    "tests.clamd",
    "tests.smtp",
    "tests.seaweed",
    "tests.identity_provider",
]

# Tests do not time: a busy machine makes examples slowly, and that is no fault.
hypothesis_settings.register_profile(
    "untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("untimed")

TEMPLATE = "srm_template"
ONE_AT_A_TIME = 20_261_123  # advisory lock: one process makes the template
# Loaded once into the template; tests may add rows of their own, marked "local".
REFERENCE_TABLES = frozenset(
    {
        "controls_catalog",
        "controls_control",
        "controls_baseline",
        "controls_baselinecontrol",
        "controls_controllayer",
        "controls_referenceversion",
        "controls_service",
        "controls_servicevariant",
        "controls_servicelayer",
    }
)
KEPT_TABLES = REFERENCE_TABLES | {
    "django_migrations",
    "django_content_type",
    "auth_permission",
}

# One statement for all tables, of which most are empty. Of kept ones rows of tests go:
# those marked "local", and baselines, that would be taken for others of their name.
EMPTIED = """
DO $$
DECLARE
  kept CONSTANT text[] := string_to_array(current_setting('srm.kept_tables'), ' ');
  name text;
  has_origin boolean;
  is_left boolean;
BEGIN
  FOR name, has_origin IN
    SELECT t.relname, a.attname IS NOT NULL FROM pg_class t
      LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attname = 'origin'
     WHERE t.relkind = 'r' AND t.relnamespace = 'public'::regnamespace
  LOOP
    IF name <> ALL (kept) THEN
      EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO is_left;
      IF is_left THEN
        EXECUTE format('DELETE FROM %I', name);
      END IF;
    ELSIF has_origin THEN
      EXECUTE format('DELETE FROM %I WHERE origin = %L', name, 'local');
    END IF;
  END LOOP;
  DELETE FROM controls_baseline WHERE publisher = '';
  DELETE FROM controls_baselinecontrol
   WHERE baseline_id NOT IN (SELECT id FROM controls_baseline);
END $$
"""

# --- network ------------------------------------------------------------------

_connect = socket.socket.connect


def _loopback_only(self: socket.socket, address: Any) -> None:
    """Refuse to leave this machine."""
    if self.family in (socket.AF_INET, socket.AF_INET6):
        host = address[0]
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise AssertionError(f"A test tried to reach {host}.")
    _connect(self, address)


socket.socket.connect = _loopback_only  # type: ignore[method-assign, assignment]

# --- database -----------------------------------------------------------------


def _dsn(owner: bool, database: str) -> str:
    """A libpq address for one of the two roles."""
    kept = settings.DATABASE_OWNER if owner else settings.DATABASES["default"]
    return psycopg.conninfo.make_conninfo(
        host=kept["HOST"],
        port=kept["PORT"],
        user=kept["USER"],
        password=kept["PASSWORD"],
        dbname=database,
    )


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_db_blocker: Any
) -> Iterator[None]:
    """A database for this worker, copied from a template that is made once."""
    if not os.environ.get("DATABASE_OWNER_URL"):
        pytest.exit("No database: use `make test`, see tests/conftest.py.", 4)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"srm_test_{worker}"
    with django_db_blocker.unblock():
        with psycopg.connect(_dsn(True, "srm"), autocommit=True) as owner:
            owner.execute("SELECT pg_advisory_lock(%s)", [ONE_AT_A_TIME])
            _make_template(owner)
            owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            owner.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        move_the_clock_of(name, _dsn(True, name))
        _point_at(name)
    yield
    with django_db_blocker.unblock():
        connections.close_all()


@pytest.fixture(scope="session", autouse=True)
def own_cache() -> None:
    """A numbered database of the cache for this worker: its keys are primary keys of
    this worker's tables. What was connected while Django started is left behind."""
    kept = settings.CACHES["default"]
    if not kept.get("LOCATION", "").startswith("redis"):
        return
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw-1")
    number = 1 + (int(worker[2:]) + 1) % 15  # 0 is the broker's; Valkey has 16
    kept["LOCATION"] = urlsplit(kept["LOCATION"])._replace(path=f"/{number}").geturl()
    caches["default"].close()
    del caches["default"]
    caches["default"].clear()


def _make_template(owner: psycopg.Connection) -> None:
    """Migrate and load reference data, unless another worker has done it."""
    done = owner.execute(
        "SELECT shobj_description(oid, 'pg_database') FROM pg_database"
        " WHERE datname = %s",
        [TEMPLATE],
    ).fetchone()
    if done == ("ready",):
        return
    owner.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
    owner.execute(f"CREATE DATABASE {TEMPLATE}")
    kept = kept_template.place()
    was_kept = kept_template.take(kept, _dsn(True, TEMPLATE))
    move_the_clock_of(TEMPLATE, _dsn(True, TEMPLATE))
    _as_owner_in(TEMPLATE)
    _loaded_as_the_day_begins(_dsn(True, TEMPLATE))
    if not was_kept:
        kept_template.keep(kept, _dsn(True, TEMPLATE))
    owner.execute(f"COMMENT ON DATABASE {TEMPLATE} IS 'ready'")


def _loaded_as_the_day_begins(database_address: str) -> None:
    """A template that was kept is of another run, in which it may have been later: to
    the tests reference data was always loaded before they began."""
    with psycopg.connect(database_address) as owner:
        table = "controls_referenceversion"
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        owner.execute(f"UPDATE {table} SET loaded_at = %s", [BEGINS])
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _as_owner_in(database: str) -> None:
    served = dict(connections["default"].settings_dict)
    assert settings.DATABASE_OWNER
    _point_at(database, settings.DATABASE_OWNER)
    try:
        call_command("migrate", verbosity=0, interactive=False)
        if "load_reference" in get_commands():
            call_command("load_reference", verbosity=0)
    finally:
        _point_at(served["NAME"], served)


def _point_at(database: str, role: dict[str, Any] | None = None) -> None:
    """Make the default connection use this database, as this role if given."""
    connection = connections["default"]
    connection.close()
    changed = {"NAME": database}
    if role is not None:
        changed |= {"USER": role["USER"], "PASSWORD": role["PASSWORD"]}
    connection.settings_dict.update(changed)


def empty_tables(database: str) -> None:
    """Delete what transactional tests left, past every trigger; keep reference."""
    kept = " ".join(KEPT_TABLES)
    with psycopg.connect(_dsn(True, database)) as owner:
        owner.execute("SET session_replication_role = replica")
        owner.execute(
            "SELECT set_config('srm.clock', '', false),"
            " set_config('srm.kept_tables', %s, false)",
            [kept],
        )
        owner.execute(EMPTIED)


def _teardown(self: TransactionTestCase) -> None:
    """Instead of TRUNCATE, which the append-only tables refuse."""
    connections["default"].close()
    empty_tables(connections["default"].settings_dict["NAME"])


TransactionTestCase._fixture_teardown = _teardown  # type: ignore[method-assign]


@pytest.fixture
def owner_dsn() -> str:
    """Where a transactional test connects to as the owner role."""
    return _dsn(True, connections["default"].settings_dict["NAME"])


@pytest.fixture
def as_owner() -> Callable[[], AbstractContextManager[None]]:
    """`with as_owner():` in a transactional test is the owner role, clock and all."""

    @contextmanager
    def owner() -> Iterator[None]:
        served = dict(connections["default"].settings_dict)
        _point_at(served["NAME"], settings.DATABASE_OWNER)
        try:
            yield
        finally:
            _point_at(served["NAME"], served)

    return owner


@pytest.fixture
def app_dsn() -> str:
    """Where a transactional test connects to as the application role."""
    return _dsn(False, connections["default"].settings_dict["NAME"])


# --- people, systems (shared by stories; append below) -------------------------
