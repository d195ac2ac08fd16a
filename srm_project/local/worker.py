"""`make worker`: one more worker beside a running `make run`, and as whom it runs."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from srm_project.local.accounts import Account
from srm_project.local.instance import is_held, read_announcement
from srm_project.local.paths import PROJECT, State
from srm_project.local.programs_account import (
    StaysRoot,
    environment_of_programs,
    programs_account,
)

JOBS_AT_ONCE = 2
WORKER = (
    f"-m celery -A srm_project worker --concurrency {JOBS_AT_ONCE}"
    " --loglevel INFO --without-mingle --without-gossip"
)


class NothingRuns(Exception):
    """There is no instance in this folder that a worker could work for."""


def become_worker(here: State) -> NoReturn:
    """Turn this process into a worker of the running instance, as its own worker is.

    As root it becomes the user of the programs first; where that user could not run
    it, it stays root and says why. Raises NothingRuns.
    """
    running = read_announcement(here) if is_held(here.lock) else None
    if running is None:
        raise NothingRuns("SRM does not run from this folder.")
    env = dict(os.environ) | running.env
    account = Account()
    try:
        account = programs_account(here, env)
    except StaysRoot as reason:
        sys.stderr.write(f"The worker runs as root: {reason}\n")
        sys.stderr.flush()
    environment = environment_of_programs(env, account) | {"SRM_PROCESS": "worker"}
    _drop_to(account)
    os.chdir(PROJECT)
    name = f"--hostname=beside-{os.getpid()}@%h"
    command = [sys.executable, *WORKER.split(), name]
    os.execve(sys.executable, command, environment)  # noqa: S606 - our own program


def _drop_to(account: Account) -> None:
    """Give up root for good, groups first."""
    if account.uid is None or account.gid is None:
        return
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
