"""Runs a management command as a process of its own, as the role that owns tables."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping

from srm_project.local.paths import PROJECT, State
from srm_project.local.processes import Child, dies_with_parent

MAX_LINES_SHOWN = 25


class CommandFailed(Exception):
    """A management command failed; the text names its log and shows its end."""


def manage(state: State, env: Mapping[str, str], *command: str) -> None:
    """Run `manage.py COMMAND…` to its end, its output in a log.

    Raises CommandFailed. Whatever interrupts the wait ends the command first.
    """
    log = state.logs / "manage.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=PROJECT,
            env={**env, "SRM_ROLE": "owner"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        try:
            exit_code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if exit_code:
        lines = Child("manage", [], log).last_words(MAX_LINES_SHOWN)
        raise CommandFailed(f"{' '.join(command)} failed ({log}):\n{lines}")
