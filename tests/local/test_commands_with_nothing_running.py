"""Any command in a fresh folder, nothing running: it works, or a sentence says why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from srm_project.local.instance import Running, announce, base_environment, locked
from srm_project.local.paths import PROJECT, State

pytestmark = pytest.mark.slow
GIVEN_BY_TESTS = (
    *("DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "SRM_ROLE"),
    *("SECRET_KEY", "EVIDENCE_STORE", "SRM_DEMO_ACCOUNTS", "INSTANCE_NAME"),
)
Finished = subprocess.CompletedProcess[str]
DERIVE = "derive", "--baseline", "nist-low", "--service", "s3"


@pytest.fixture
def untouched() -> Iterator[State]:
    """A state folder that nobody has used; outside pytest's, as servers must enter."""
    root = Path(tempfile.mkdtemp(prefix="srm fresh "))
    yield State(root)
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def begun() -> Iterator[tuple[State, Finished]]:
    """A fresh state folder in which `derive` was the first command of all."""
    root = Path(tempfile.mkdtemp(prefix="srm fresh "))
    yield State(root), run(State(root), *DERIVE)
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def fresh(begun: tuple[State, Finished]) -> State:
    """The folder of `begun`."""
    return begun[0]


def run(state: State, *command: str, **env: str) -> Finished:
    """One command in a process of its own, as typed at a terminal."""
    inherited = {k: v for k, v in os.environ.items() if k not in GIVEN_BY_TESTS}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=PROJECT,
        env=inherited | {"SRM_STATE": str(state.root), "LOG_LEVEL": "ERROR"} | env,
        capture_output=True,
        text=True,
        timeout=600,
    )


def refused(finished: Finished, code: int = 2) -> str:
    """The sentence of a command that could not do what it was asked."""
    assert finished.returncode == code, finished.stderr
    assert "Traceback" not in finished.stderr
    return finished.stderr.strip().splitlines()[-1]


def test_wrong_arguments_start_no_database(untouched: State) -> None:
    assert "--baseline" in refused(run(untouched, "derive"))
    assert "'x'" in refused(run(untouched, "evidence_fsck", "--rate", "x"))
    assert "derive" in run(untouched, "dervie").stderr
    assert not untouched.postgres.exists()


def test_derive_makes_the_database_it_needs(begun: tuple[State, Finished]) -> None:
    """The first command of all: tables and reference data are made on the way."""
    state, first = begun
    assert first.returncode == 0, first.stderr
    assert len(json.loads(first.stdout)) == 149
    assert "Making the tables" in first.stderr
    again = run(state, *DERIVE)
    assert (again.stdout, again.stderr) == (first.stdout, "")


@pytest.mark.parametrize(
    ("command", "code", "shown"),
    [
        ("control_status --list", 0, "There is no system yet."),
        ("control_status nowhere", 2, "There is no system “nowhere”."),
        ("control_status", 2, "Name a system, or use --list."),
        ("derive --baseline nist-lwo", 2, "Nearest: nist-low"),
        ("reread nowhere", 2, "There is no system “nowhere”."),
        ("verify_audit_log", 0, "Every chain verifies."),
        ("evidence_fsck", 0, "0 blobs checked, 0 findings."),
        ("evidence_sweep", 0, "0 orphans, 0 unfinished files deleted."),
        ("given_up_jobs", 0, "0 jobs given up."),
        ("proof_check", 0, "0 systems checked, 0 differences found."),
        ("proof_check nowhere", 2, "There is no system “nowhere”."),
        ("due_check", 0, "0 systems checked, 0 differences found."),
        ("due_check nowhere", 2, "There is no system “nowhere”."),
        ("load_reference", 0, "nothing to change"),
        ("import_control_text /no/such/file", 1, "No such file or directory"),
        ("load_demo --today someday", 2, "“someday” is not a day"),
        ("load_demo --today 9999-12-31", 2, "--today"),
        ("build_reference --catalog /no/such/file", 1, "there is no such file"),
        ("build_reference --catalog x --profile y", 1, "SLUG=FILE"),
    ],
)
def test_each_command_works_or_says_why_not(
    fresh: State, command: str, code: int, shown: str
) -> None:
    done = run(fresh, *command.split())
    assert done.returncode == code, done.stderr
    assert shown in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_given_database_is_neither_started_nor_migrated(
    untouched: State,
) -> None:
    """Production: the sentence names the command that an operator calls."""
    absent = "postgresql://srm_app:x@127.0.0.1:1/srm"
    empty = os.environ["DATABASE_OWNER_URL"].rpartition("/")[0] + "/postgres"

    def sentence(database: str, secret_key: str = "x" * 60) -> str:
        given = {"DATABASE_URL": database, "SECRET_KEY": secret_key}
        return refused(run(untouched, "verify_audit_log", **given))

    assert "cannot be reached" in sentence(absent)
    assert "manage.py migrate" in sentence(empty)
    assert "SECRET_KEY" in sentence(empty, secret_key="short")
    assert not untouched.postgres.exists()


@pytest.mark.django_db
def test_a_running_instance_is_used_as_it_is(untouched: State) -> None:
    """Its lock is held and its addresses announced, as `make run` does it."""
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    owner = os.environ["DATABASE_OWNER_URL"].rpartition("/")[0]
    tests = connection.settings_dict["NAME"]
    known = base_environment(untouched.prepare())

    def announced(database: str) -> Running:
        env = known | {"DATABASE_URL": database}
        return Running(os.getpid(), "http://localhost:8000", env)

    with locked(untouched.lock):
        announce(untouched, announced(f"{server}/{tests}"))
        done = run(untouched, *DERIVE)
        assert (done.returncode, done.stderr) == (0, "")
        assert len(json.loads(done.stdout)) == 149
        announce(untouched, announced(f"{owner}/postgres"))
        assert "`make run` again" in refused(run(untouched, *DERIVE))
    assert not untouched.postgres.exists()
