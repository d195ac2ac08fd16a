"""Who runs the embedded servers of this folder, and how others may use them."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from srm_project.local import secrets
from srm_project.local.paths import State, project_hash
from srm_project.local.postgres import Postgres


class AlreadyRunning(Exception):
    """Somebody else holds the lock of this state folder."""


@dataclass(frozen=True)
class Running:
    """What the holder of the lock tells others."""

    pid: int
    url: str
    env: dict[str, str]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock, or raise AlreadyRunning. The kernel frees it when we die."""
    with path.open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as refused:
            raise AlreadyRunning(str(path)) from refused
        yield


def is_held(path: Path) -> bool:
    """Whether somebody holds the lock now."""
    try:
        with locked(path):
            return False
    except (AlreadyRunning, FileNotFoundError):
        return path.exists()


def announce(here: State, running: Running) -> None:
    """Tell others how to reach the servers."""
    draft = here.running.with_suffix(".new")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(asdict(running)))
    draft.replace(here.running)


def read_announcement(here: State) -> Running | None:
    """What the holder of the lock announced, if it did."""
    try:
        return Running(**json.loads(here.running.read_text()))
    except FileNotFoundError:
        return None


def base_environment(here: State) -> dict[str, str]:
    """Settings that hold for every process, unless the environment says otherwise."""
    kept = secrets.load(here.secrets)
    chosen = {
        "SECRET_KEY": kept.secret_key,
        "EVIDENCE_STORE": str(here.evidence),
        "EMAIL_URL": here.mail.as_uri(),
        "INSTANCE_NAME": f"srm-{project_hash(here.root)}",
        "SRM_STATE": str(here.root),
        "SRM_DEMO_ACCOUNTS": str(here.demo_accounts),
    }
    if "SECRET_KEY_FILE" in os.environ:
        del chosen["SECRET_KEY"]
    return {name: os.environ.get(name) or value for name, value in chosen.items()}


def database_environment(postgres: Postgres) -> dict[str, str]:
    """The addresses of an embedded database."""
    return {
        "DATABASE_URL": postgres.app_url,
        "DATABASE_OWNER_URL": postgres.owner_url,
    }


def database_given() -> bool:
    """Whether the environment names a database of its own."""
    return bool(os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"))
