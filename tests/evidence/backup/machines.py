"""Two machines for stories of backups: where a set is made, where it is restored."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.conf import settings
from django.db import connection

from tests.conftest import _dsn
from tests.one_day import OURS_FIRST

# Its rows say that the set was made, or restored: they are the one difference.
LOG = "controls_auditevent"
WITHOUT_ROWS = {"django_session", "usersessions_usersession"}


@dataclass(frozen=True)
class Machine:
    """A database and a store, and commands that run there as at a terminal."""

    database: str
    store: Path

    def manage(self, *command: str) -> subprocess.CompletedProcess[str]:
        """A management command in a process of its own."""
        addresses = {
            name: urlsplit(os.environ[name])._replace(path=f"/{self.database}").geturl()
            for name in ("DATABASE_URL", "DATABASE_OWNER_URL")
        }
        env = os.environ | addresses | {"EVIDENCE_STORE": str(self.store)}
        return subprocess.run(
            [sys.executable, "-W", "ignore", "manage.py", *command],
            cwd=settings.BASE_DIR,
            env=env | {"LOG_LEVEL": "ERROR"},
            capture_output=True,
            text=True,
        )

    def done(self, *command: str) -> str:
        """The output of a command that has to succeed."""
        finished = self.manage(*command)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def owner(self) -> psycopg.Connection:
        """A connection as the role that owns the tables."""
        return psycopg.connect(_dsn(True, self.database), autocommit=True)

    def app(self) -> psycopg.Connection:
        """A connection as the role that serves."""
        return psycopg.connect(_dsn(False, self.database), autocommit=True)

    def use_the_clock_of_tests(self) -> None:
        """Look for the moved clock first, as the tests' own database does."""
        with self.owner() as owner:
            path = f"ALTER DATABASE {self.database} SET search_path = {OURS_FIRST}"
            owner.execute(path)


@contextmanager
def empty_machine(store: Path) -> Iterator[Machine]:
    """A machine with a database that nothing was done in, and no store yet."""
    name = f"{connection.settings_dict['NAME']}_empty"
    with psycopg.connect(_dsn(True, "srm"), autocommit=True) as owner:
        owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        owner.execute(f"CREATE DATABASE {name}")
        try:
            yield Machine(name, store)
        finally:
            _drop(owner, name)


def _drop(owner: psycopg.Connection, name: str) -> None:
    """Once the server has let go of those who were connected a moment ago."""
    for _ in range(100):
        try:
            owner.execute(f"DROP DATABASE {name}")
            return
        except psycopg.errors.ObjectInUse:
            time.sleep(0.1)
    raise TimeoutError(f"Somebody stays connected to {name}.")


@contextmanager
def as_owner_of(database: str) -> Iterator[None]:
    """Inside, this process is connected to a database as its owner."""
    served = dict(connection.settings_dict)
    owner = settings.DATABASE_OWNER
    connection.close()
    connection.settings_dict |= {
        "NAME": database,
        "USER": owner["USER"],
        "PASSWORD": owner["PASSWORD"],
    }
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict |= served


def rows_of(machine: Machine) -> dict[str, str]:
    """A digest of each table's rows, but for the log and who is signed in."""
    with machine.owner() as owner:
        tables = [name for (name,) in owner.execute(TABLES)]
        digests = {}
        for table in sorted({*tables} - WITHOUT_ROWS - {LOG}):
            all_rows = "string_agg(t::text, '|' ORDER BY t::text)"
            query = f"SELECT md5({all_rows}) FROM {table} t"
            digests[table] = str(owner.execute(query).fetchone())
        return digests


def guards_of(machine: Machine) -> set[tuple[str, ...]]:
    """Triggers, constraints, indexes, numbers that are next, and who may do what."""
    with machine.owner() as owner:
        owner.execute("SET search_path = public")
        rows = [row for query in GUARDS for row in owner.execute(query)]
        return {tuple(CASTS.sub("", str(cell)) for cell in row) for row in rows}


# PostgreSQL writes a list of values with other casts once it has read its own words.
CASTS = re.compile(r"::[a-z ]+(\[\])?|[()]")
TABLES = """
SELECT relname FROM pg_class
 WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""
GUARDS = (
    "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
    " FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
    "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "SELECT sequencename::text, last_value FROM pg_sequences"
    f" WHERE sequencename !~ '^{LOG}'",
    "SELECT grantee::text, table_name::text, privilege_type::text"
    " FROM information_schema.role_table_grants WHERE table_schema = 'public'"
    " AND grantee <> 'PUBLIC'",
)
