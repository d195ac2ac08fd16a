"""PostgreSQL's own programs: one snapshot of the database into a file, and back."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection
from psycopg import conninfo

from controls.errors import SrmError
from srm_project.local.failures import DatabaseUnavailable
from srm_project.local.postgres import wheel_programs

# Signed-in sessions are no part of a set: whoever signed out since stays signed out.
WITHOUT_ROWS = ("django_session", "usersessions_usersession")
MAX_LOCK_WAIT_MS = 60_000  # for a migration that runs
# What Django's entry may hold beside libpq's parameters.
NOT_OF_LIBPQ = frozenset({"pool", "prepare_threshold", "isolation_level"})
FOREIGN_OBJECTS = """
SELECT count(*) FROM pg_class c
 WHERE c.relnamespace = 'public'::regnamespace
   AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
"""


class DumpFailed(SrmError):
    """PostgreSQL's program said no; nothing is half done."""

    status_code = 503


@contextmanager
def snapshot() -> Iterator[tuple[psycopg.Connection, str]]:
    """A connection that sees one state of the database, and the name others import.

    Keep it short: what it sees is not cleaned up meanwhile.
    """
    with psycopg.connect(_address(with_password=True)) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        reader.read_only = True
        row = reader.execute("SELECT pg_export_snapshot()").fetchone()
        assert row is not None
        yield reader, row[0]


def dump_to(target: Path, snapshot_name: str) -> None:
    """Write the database of a snapshot into a file. Raises DumpFailed."""
    _run(
        "pg_dump",
        "--format=custom",
        f"--snapshot={snapshot_name}",
        f"--lock-wait-timeout={MAX_LOCK_WAIT_MS}",
        *(f"--exclude-table-data=public.{table}" for table in WITHOUT_ROWS),
        f"--file={target}",
    )


def load_from(source: Path) -> None:
    """Make the tables of a dump and their rows, all or none. Raises DumpFailed.

    Owner is whoever we are, and rights are those that migrate grants here. Triggers
    come after the rows: what rows said before is written as it was.
    """
    _run(
        "pg_restore",
        *("--no-owner", "--no-privileges", "--no-comments"),
        *("--single-transaction", "--exit-on-error"),
        str(source),
    )


def is_empty() -> bool:
    """Whether the database has no table, view or sequence of anybody."""
    with connection.cursor() as cursor:
        cursor.execute(FOREIGN_OBJECTS)
        return bool(cursor.fetchone()[0] == 0)


def _run(program: str, *arguments: str) -> None:
    address = _address(with_password=False)
    kept = {"PGPASSWORD": str(connection.settings_dict["PASSWORD"]), "LC_ALL": "C"}
    finished = subprocess.run(  # noqa: S603 - our own arguments
        [_program(program), f"--dbname={address}", "--no-password", *arguments],
        env=os.environ | kept,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    if finished.returncode:
        words = finished.stderr.strip()[-1500:]
        raise DumpFailed(f"{program} failed: {words}")


def _program(name: str) -> str:
    """The program of the wheel that `make run` uses, else the one on the PATH."""
    try:
        return str(wheel_programs() / name)
    except DatabaseUnavailable:
        path = shutil.which(name)
    if path is None:
        raise DumpFailed(f"There is no {name} here: install PostgreSQL's programs.")
    return path


def _address(*, with_password: bool) -> str:
    """Where this process is connected, as libpq takes it."""
    place = connection.settings_dict
    options: dict[str, Any] = {
        name: value
        for name, value in place["OPTIONS"].items()
        if name not in NOT_OF_LIBPQ
    }
    named = {"host": "HOST", "port": "PORT", "user": "USER", "dbname": "NAME"}
    options |= {name: place[key] for name, key in named.items() if place[key]}
    if with_password and place["PASSWORD"]:
        options["password"] = place["PASSWORD"]
    return conninfo.make_conninfo(**options)
