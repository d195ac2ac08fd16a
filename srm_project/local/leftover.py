"""A database server, or its lock file, that an earlier start left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from srm_project.local.failures import DatabaseUnavailable


def clear_stale_pid(data: Path, program: Path, say: Callable[[str], None]) -> None:
    """Make way for a start. Call it with the lock held: nobody else may run this.

    A server of ours left behind is stopped. A lock file whose process is gone, or
    is somebody else's process by now, is removed; a foreign process is left alone.
    """
    pid = recorded_pid(data / "postmaster.pid")
    if pid is None:
        return
    if not is_our_server(command_of(pid), program.name, data):
        (data / "postmaster.pid").unlink(missing_ok=True)
        return
    say(f"Stopping a database left behind (process {pid}).")
    os.kill(pid, signal.SIGINT)
    for _ in range(600):
        if not is_our_server(command_of(pid), program.name, data):
            return
        time.sleep(0.1)
    raise DatabaseUnavailable(f"PostgreSQL (process {pid}) does not stop.")


def recorded_pid(lock: Path) -> int | None:
    """The process that a postmaster.pid names; None when it names nobody."""
    try:
        first = lock.read_text().split("\n", 1)[0].strip()
    except FileNotFoundError:
        return None
    return abs(int(first)) if first.lstrip("-").isdigit() else 0


def command_of(pid: int) -> list[str]:
    """The command line of a living process, empty when there is none."""
    if pid <= 0:
        return []
    if sys.platform == "linux":
        return _command_of_proc(pid)
    listing = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True
    )
    return listing.stdout.strip().split(" ")


def _command_of_proc(pid: int) -> list[str]:
    proc = Path("/proc") / str(pid)
    try:
        words = [os.fsdecode(w) for w in (proc / "cmdline").read_bytes().split(b"\0")]
        words[0] = str((proc / "exe").readlink())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []
    return words


def is_our_server(command: list[str], program: str, data: Path) -> bool:
    """Whether this command line is a postgres that serves our data folder."""
    if not command or Path(command[0].removesuffix(" (deleted)")).name != program:
        return False
    return f"-D {data}" in " ".join(command)
