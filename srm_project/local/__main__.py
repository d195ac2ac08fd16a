"""Command line: `python -m srm_project.local run|worker|test|env|with`."""

from __future__ import annotations

import os
import sys

from srm_project.local import instance, testing
from srm_project.local.failures import LocalFailure
from srm_project.local.paths import State, state
from srm_project.local.supervise import Supervisor, say
from srm_project.local.worker import NothingRuns, become_worker

USAGE = """usage: python -m srm_project.local COMMAND
  run               start everything and keep it running
  worker            one more worker beside the running instance
  test [-- ARGS]    run pytest with a database and a broker of its own
  with COMMAND…     run `python COMMAND…` with a database and a broker of its own
  env               print the settings of the running instance as shell exports"""


def main(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    command, rest = (arguments or ["help"])[0], arguments[1:]
    rest = rest[1:] if rest[:1] == ["--"] else rest
    if command == "run":
        return _run(state().prepare())
    if command == "worker":
        return _worker(state())
    if command == "test":
        return testing.run_tests(rest)
    if command == "with":
        with testing.throwaway() as env:
            return testing.run(rest, env)
    if command == "env":
        return _env(state())
    sys.stderr.write(f"{USAGE}\n")
    return 2


def _run(here: State) -> int:
    try:
        with instance.locked(here.lock):
            Supervisor(here).run()
    except instance.AlreadyRunning:
        return _say_where(here)
    except LocalFailure as failure:
        sys.stderr.write(f"{failure}\n")
        return 1
    return 0


def _worker(here: State) -> int:
    try:
        become_worker(here)
    except NothingRuns as nothing:
        sys.stderr.write(f"{nothing}\n")
        return 1


def _say_where(here: State) -> int:
    running = instance.read_announcement(here)
    where = (
        f"at {running.url} (process {running.pid})" if running else "and is starting"
    )
    say(f"SRM already runs from this folder {where}.")
    return 0


def _env(here: State) -> int:
    running = instance.read_announcement(here) if instance.is_held(here.lock) else None
    if running is None:
        sys.stderr.write("SRM does not run from this folder.\n")
        return 1
    for name, value in sorted(running.env.items()):
        say(f"export {name}='{value}'")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "srm_project.settings")
    sys.exit(main(sys.argv[1:]))
