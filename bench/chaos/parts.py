"""The parts of a running installation, found below its supervisor, and killed."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

Test = Callable[[str], bool]


@dataclass(frozen=True)
class Process:
    """A running program and what it was called with."""

    pid: int
    command: str


def children(parent: int) -> list[Process]:
    """The processes that a process started and that still run, oldest first."""
    running = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        with suppress(OSError):
            status = (folder / "status").read_text()
            if f"\nPPid:\t{parent}\n" in status:
                words = (folder / "cmdline").read_bytes().replace(b"\0", b" ")
                running.append(
                    Process(int(folder.name), words.decode(errors="replace"))
                )
    return sorted(running, key=lambda process: process.pid)


def _of_supervisor(words: str) -> Callable[[int], Iterator[Process]]:
    def find(supervisor: int) -> Iterator[Process]:
        return (child for child in children(supervisor) if words in child.command)

    return find


def _below(words: str, test: Test = lambda command: True) -> Callable[..., Iterator]:
    def find(supervisor: int) -> Iterator[Process]:
        for parent in _of_supervisor(words)(supervisor):
            for child in children(parent.pid):
                if test(child.command):
                    yield child

    return find


PARTS: dict[str, Callable[[int], Iterator[Process]]] = {
    "web master": _of_supervisor("gunicorn"),
    "web worker": _below("gunicorn"),
    "worker": _of_supervisor("celery -A srm_project worker"),
    "child of the worker": _below("celery -A srm_project worker"),
    "beat": _of_supervisor("celery -A srm_project beat"),
    "broker": _of_supervisor("valkey-server"),
    "database backend": _below("postgres -D", lambda words: "srm_app" in words),
    "postmaster": _of_supervisor("postgres -D"),
}


def kill(part: str, supervisor: int, chance: random.Random) -> bool:
    """Kill one process of the part as by `kill -9`; False where none runs just now."""
    running = list(PARTS[part](supervisor))
    if not running:
        return False
    with suppress(ProcessLookupError):
        os.kill(chance.choice(running).pid, signal.SIGKILL)
        return True
    return False


def all_run(supervisor: int) -> bool:
    """Whether everything that is supervised runs."""
    constant = [part for part in PARTS if part != "database backend"]
    return all(any(PARTS[part](supervisor)) for part in constant)
