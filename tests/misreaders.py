"""Readers of files that do what a hostile file would have them do."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import tempfile
import time
from pathlib import Path
from typing import BinaryIO


def look_around(body: BinaryIO, answer: BinaryIO) -> None:
    """What a reader sees of us: variables, descriptors, ways out, rights."""
    try:
        socket.create_connection(("127.0.0.1", int(body.read())), timeout=2).close()
        reached = True
    except OSError:
        reached = False
    status = Path("/proc/self/status").read_text()
    rights = next(line for line in status.splitlines() if line.startswith("CapEff"))
    about = {
        "variables": sorted(os.environ),
        "descriptors": [n for n in range(64) if is_open(n)],
        "reached": reached,
        "capabilities": int(rights.split()[1], 16),
    }
    answer.write(json.dumps(about).encode())


def is_open(number: int) -> bool:
    """Whether a descriptor is in use."""
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def echo(body: BinaryIO, answer: BinaryIO) -> None:
    """The file itself."""
    answer.write(body.read())


def devour(body: BinaryIO, answer: BinaryIO) -> None:
    """Take a gigabyte."""
    answer.write(b"begun")
    answer.flush()
    bytearray(1_000_000_000)


def devour_below_python(body: BinaryIO, answer: BinaryIO) -> None:
    """The same as a library in C would."""
    library = ctypes.CDLL(None)
    library.malloc.restype = ctypes.c_void_p
    if not library.malloc(ctypes.c_size_t(1_000_000_000)):
        os.abort()


def compute(body: BinaryIO, answer: BinaryIO) -> None:
    """Never end."""
    while True:
        pass


def sleep_past_the_alarm(body: BinaryIO, answer: BinaryIO) -> None:
    """Never end, and take nothing."""
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    time.sleep(600)


def fill_the_disk(body: BinaryIO, answer: BinaryIO) -> None:
    """Write a file without end."""
    with tempfile.TemporaryFile() as file:
        for _ in range(1_000):
            file.write(b"x" * 1_000_000)


def fork(body: BinaryIO, answer: BinaryIO) -> None:
    """Go on as somebody else."""
    if os.fork() == 0:
        os._exit(0)


def chatter(body: BinaryIO, answer: BinaryIO) -> None:
    """Answer without end."""
    while True:
        answer.write(b"x" * 1_000_000)


def break_off(body: BinaryIO, answer: BinaryIO) -> None:
    """Die in the middle of an answer that looks whole."""
    answer.write(b"an answer\n")
    answer.flush()
    os.kill(os.getpid(), signal.SIGKILL)
