"""The database that one management command uses, named in the environment."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import Enum

from srm_project.local import secrets
from srm_project.local.failures import DatabaseBusy
from srm_project.local.instance import (
    AlreadyRunning,
    Running,
    base_environment,
    database_environment,
    database_given,
    locked,
    read_announcement,
)
from srm_project.local.paths import State, state
from srm_project.local.postgres import Postgres

MAX_WAIT, REMARK_AFTER = 300.0, 2.0  # seconds


class DatabaseOrigin(Enum):
    """Where the database of a command comes from."""

    GIVEN = "the environment names it"
    RUNNING = "`make run` serves it"
    OWN = "embedded, for this command alone"


@dataclass(frozen=True)
class CommandDatabase:
    """A database whose addresses stand in os.environ; ours starts on `start`."""

    origin: DatabaseOrigin
    state: State
    postgres: Postgres | None = None

    def start(self) -> None:
        """Start the embedded server, if it is ours to start.

        Raises DatabaseUnavailable.
        """
        if self.postgres is None:
            return
        if not self.postgres.data.exists():
            note("Making a database of this folder's own (once, some seconds).")
        self.postgres.start(note)


def note(text: str) -> None:
    """One line on stderr: stdout belongs to the command."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@contextmanager
def command_database() -> Iterator[CommandDatabase]:
    """The database of a command; inside, nobody else starts the embedded one.

    Raises DatabaseBusy when others hold that for longer than MAX_WAIT.
    """
    here = state()
    if database_given():
        yield CommandDatabase(DatabaseOrigin.GIVEN, here)
        return
    here.prepare()
    with ExitStack() as held:
        running = _lock_or_running(here, held)
        if running is not None:
            _adopt(running.env)
            yield CommandDatabase(DatabaseOrigin.RUNNING, here)
            return
        here.running.unlink(missing_ok=True)  # of one that was killed
        postgres = Postgres(here, secrets.load(here.secrets))
        held.callback(postgres.stop)
        _adopt(base_environment(here) | database_environment(postgres))
        yield CommandDatabase(DatabaseOrigin.OWN, here, postgres)


def _lock_or_running(here: State, held: ExitStack) -> Running | None:
    """Take the lock, or wait for what its holder announces.

    The holder is `make run`, silent until it is ready, or another command, soon done.
    """
    began = time.monotonic()
    remarked = False
    while time.monotonic() - began < MAX_WAIT:
        try:
            held.enter_context(locked(here.lock))
            return None
        except AlreadyRunning:
            running = read_announcement(here)
        if running is not None:
            return running
        if not remarked and time.monotonic() - began > REMARK_AFTER:
            note("SRM starts from this folder, or another command runs; waiting.")
            remarked = True
        time.sleep(0.2)
    raise DatabaseBusy(
        f"Another process has held the database of {here.root} for"
        f" {MAX_WAIT:.0f} seconds: try again when it is done."
    )


def _adopt(env: Mapping[str, str]) -> None:
    for name, value in env.items():
        os.environ.setdefault(name, value)
