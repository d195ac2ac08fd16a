"""What a process that reads a file may use. Raised by nobody: they are the kernel's."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from contextlib import suppress
from pathlib import Path

MAX_OPEN_FILES = 64
NEW_NETWORK, NEW_USER = 0x4000_0000, 0x1000_0000  # of unshare(2)
NO_NEW_PRIVILEGES = 38  # of prctl(2)
CAPABILITIES = 0x2008_0522  # version 3 of capset(2)
PAGE = resource.getpagesize()
# What an administrator set, by kind; read once, before any of it is made stricter.
HARD = {
    kind: hard
    for kind in (
        resource.RLIMIT_AS,
        resource.RLIMIT_CPU,
        resource.RLIMIT_FSIZE,
        resource.RLIMIT_NPROC,
        resource.RLIMIT_NOFILE,
        resource.RLIMIT_CORE,
    )
    if (hard := resource.getrlimit(kind)[1]) != resource.RLIM_INFINITY
}


def leave_network() -> bool:
    """Go where there is no network, if the kernel lets us; whether it did.

    Somebody without rights takes a user namespace along. To be called once, before
    there is a second thread.
    """
    kernel = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    alone = kernel.unshare(NEW_USER | NEW_NETWORK) == 0
    if alone:  # files that are made belong to the same person as before
        with suppress(OSError):
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
            Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    else:
        alone = kernel.unshare(NEW_NETWORK) == 0
    return alone


def drop_rights() -> None:
    """Give up every capability, and what a program with more rights would give."""
    kernel = ctypes.CDLL(None, use_errno=True)
    kernel.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    kernel.capset((ctypes.c_uint32 * 2)(CAPABILITIES, 0), (ctypes.c_uint32 * 6)())


def bound_all() -> None:
    """Bound the one who forks and all that it forks: open files, no dump of memory.

    An alarm ends whoever sets one.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _bound(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    _bound(resource.RLIMIT_CORE, 0)
    with suppress(OSError):  # where memory is short, these go first
        Path("/proc/self/oom_score_adj").write_text("1000")


def mapped() -> int:
    """Bytes of address space that this process, and a fork of it, begins with."""
    return int(Path("/proc/self/statm").read_bytes().split()[0]) * PAGE


def bound(space: int, processor: int, seconds: int, written: int) -> None:
    """Bound this process for good: bytes in all, seconds, seconds, bytes of a file.

    Every upload pays for what is done here.
    """
    _bound(resource.RLIMIT_AS, space)
    _bound(resource.RLIMIT_CPU, processor)
    _bound(resource.RLIMIT_FSIZE, written)
    _bound(resource.RLIMIT_NPROC, 0)
    signal.alarm(seconds)


def _bound(kind: int, most: int) -> None:
    """No less strict than before: nobody may raise what an administrator set."""
    most = min(most, HARD.get(kind, most))
    resource.setrlimit(kind, (most, most))
