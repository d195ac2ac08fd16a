"""Every test runs on the same day, whatever the day of the machine.

While pytest runs it is Monday, 23 November 2026, from nine in the morning on, in UTC:
for Python (pages, sessions, roles, stamps) and for the database (since when something
is known), which stay together. What has a clock of its own (files, another server) is
tested within `real_time`.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import time_machine

BEGINS = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)
TODAY = BEGINS.date()
# Seconds from the machine's clock to the tests': one number for all workers of a run.
SHIFT = "SRM_TEST_CLOCK_SHIFT"
# Where a name without a schema is looked up: in ours before PostgreSQL's.
OURS_FIRST = "public, pg_catalog, pg_temp"
MOVED = """
CREATE OR REPLACE FUNCTION public.clock_timestamp() RETURNS timestamptz
LANGUAGE sql AS $$
  SELECT pg_catalog.clock_timestamp() + make_interval(secs => {seconds})
$$;
CREATE OR REPLACE FUNCTION public.statement_timestamp() RETURNS timestamptz
LANGUAGE sql STABLE AS $$
  SELECT pg_catalog.statement_timestamp() + make_interval(secs => {seconds})
$$;
CREATE OR REPLACE VIEW public.pg_stat_activity AS
SELECT datname, pid, usename, state, wait_event_type, query, backend_xid,
       xact_start + make_interval(secs => {seconds}) AS xact_start
  FROM pg_catalog.pg_stat_activity;
GRANT SELECT ON public.pg_stat_activity TO PUBLIC;
DO $$ BEGIN
  IF to_regprocedure('srm_keep()') IS NOT NULL THEN
    ALTER FUNCTION srm_keep() SET search_path = {path};
  END IF;
END $$;
ALTER DATABASE {database} SET search_path = {path};
"""


def _seconds() -> float:
    return float(os.environ[SHIFT])


def pytest_configure(config: pytest.Config) -> None:
    """Move Python's clock, before any test is imported, until pytest ends."""
    os.environ.setdefault(SHIFT, f"{BEGINS.timestamp() - time.time():.6f}")
    moved = time_machine.travel(time.time() + _seconds(), tick=True)
    coordinates = moved.start()
    config.add_cleanup(moved.stop)
    machine = time_machine.escape_hatch.time.time()
    behind = machine + _seconds() - time.time()  # what starting it took
    coordinates.shift(dt.timedelta(seconds=behind))


def move_the_clock_of(database: str, dsn: str) -> None:
    """Move the clock of a database by as much as Python's; `dsn` is its owner's.

    Connections made later look for `clock_timestamp` in our schema first, and find one
    that is moved. Again once it is migrated: a function of ours has a path of its own.
    """
    moved = MOVED.format(seconds=_seconds(), path=OURS_FIRST, database=database)
    with psycopg.connect(dsn) as owner:
        owner.execute(moved)


@contextmanager
def real_time() -> Iterator[None]:
    """Within it Python has the machine's time; the database keeps the tests'."""
    with time_machine.travel(time_machine.escape_hatch.time.time(), tick=True):
        yield


@pytest.fixture
def machine_time() -> Iterator[None]:
    """For stories of files or servers whose clock is the machine's."""
    with real_time():
        yield
