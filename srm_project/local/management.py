"""Runs a management command as a process of its own, as the role that owns tables."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Mapping

from srm_project.local.failures import CommandFailed
from srm_project.local.paths import PROJECT, State
from srm_project.local.processes import Child, dies_with_parent

MAX_LINES_SHOWN = 25


def manage(
    state: State,
    env: Mapping[str, str],
    *command: str,
    show: Callable[[str], None] | None = None,
) -> None:
    """Run `manage.py COMMAND…` to its end, its output in a log.

    `show` gets each line of its stdout as well. Raises CommandFailed. Whatever
    interrupts the wait ends the command first.
    """
    log = state.logs / "manage.log"
    with log.open("a", encoding="utf-8") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=PROJECT,
            env={**env, "SRM_ROLE": "owner", "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
            preexec_fn=dies_with_parent(signal.SIGTERM),
        )
        assert process.stdout is not None
        try:
            for line in process.stdout:
                output.write(line)
                output.flush()
                if show is not None:
                    show(line.rstrip("\n"))
            exit_code = process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
        finally:
            process.stdout.close()
    if exit_code:
        lines = Child("manage", [], log).last_words(MAX_LINES_SHOWN)
        raise CommandFailed(f"{' '.join(command)} failed ({log}):\n{lines}")
