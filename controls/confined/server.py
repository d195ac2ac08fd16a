"""Forks a process for each file that is to be read. Reads no file itself.

Run as a script with a socket as standard input and the modules that hold readers as
arguments. It says one line about itself, then takes orders `[module, function,
arguments, token, limits]` with two descriptors each: the file, and where the answer
goes. An answer ends with the token and a word: `done`, `away` where nothing could be
forked, or what went wrong; without the token the reader was ended by its limits.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from controls.confined import limits

MAX_ORDER = 65_536
NOWHERE = os.open(os.devnull, os.O_RDWR)
LOOK_AGAIN = 0.2  # seconds between two looks at readers that work
SPACE = [0]  # bytes of address space before a reader begins
# The kernel's own fork. Python's runs in each child what modules registered for
# programs with threads (locks made anew, `random` seeded): half of what a reader costs,
# since it writes to pages that are shared until then. This program has one thread, and
# readers that need a name nobody guesses ask the kernel for it.
FORK = ctypes.PyDLL(None).fork
GRACE = 2  # seconds after which a reader that outlived its alarm is killed


def main() -> None:
    """Take orders until the one who gives them is gone."""
    control = socket.socket(fileno=os.dup(0))
    # Those who stop a service signal all its processes; this one ends with its owner.
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.SIG_IGN)
    for module in sys.argv[1:]:
        import_module(module)
    about = {"without_network": limits.leave_network()}
    limits.drop_rights()
    limits.bound_all()
    gc.collect()
    gc.freeze()
    gc.disable()
    SPACE[0] = limits.mapped()
    control.send(json.dumps(about).encode())
    until_of: dict[int, float] = {}
    while True:
        if until_of:
            _look_after(until_of)
            if not select.select([control], [], [], LOOK_AGAIN)[0]:
                continue
        message, descriptors, _, _ = socket.recv_fds(control, MAX_ORDER, 2)
        if not message:
            return
        order = json.loads(message)
        _load(order[0])
        child = _forked(order, descriptors)
        if child:
            until_of[child] = time.monotonic() + order[4][2] + GRACE


def _load(module: str) -> None:
    """Have a module ready for all readers to come."""
    if module not in sys.modules:
        import_module(module)
        SPACE[0] = limits.mapped()


def _look_after(until_of: dict[int, float]) -> None:
    """Bury readers that ended, and end those that take too long."""
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            until_of.pop(ended, None)
    for child, until in until_of.items():
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)


def _forked(order: list[Any], descriptors: list[int]) -> int:
    """The number of the process that reads; 0 where there could be none.

    All that can be is done before the fork: in the reader each page of memory that is
    touched first is copied, and that is most of what a reader costs.
    """
    for place, descriptor in enumerate(descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    module, function, arguments, token, (memory, *others) = order
    end, most = bytes.fromhex(token), (SPACE[0] + memory, *others)
    with open(0, "rb", closefd=False) as file, open(1, "wb", closefd=False) as out:
        file.seek(0)
        child = FORK()
        if child == 0:
            _read(sys.modules[module], function, (file, out, *arguments), end, most)
    if child < 0:
        child = 0
        with suppress(OSError):
            os.write(1, end + b"away")
    os.dup2(NOWHERE, 0)
    os.dup2(NOWHERE, 1)
    return child


def _read(
    module: Any, function: str, arguments: Any, end: bytes, most: tuple[int, ...]
) -> None:
    """Be the reader: the file is standard input, the answer standard output."""
    outcome = b"broke off"
    try:
        os.dup2(NOWHERE, 2)
        os.closerange(3, 65_536)
        limits.bound(*most)
        getattr(module, function)(*arguments)
        arguments[1].close()
        outcome = b"done"
    except MemoryError:
        outcome = b"out of memory"
    except BaseException as fault:
        outcome = f"{type(fault).__name__}: {fault}"[:100].encode()
    finally:
        with suppress(BaseException):
            os.write(1, end + outcome)
        os._exit(0)


if __name__ == "__main__":
    main()
