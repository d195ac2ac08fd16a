"""The server of readers as the process that serves sees it: started, asked, ended."""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, ClassVar

SCRIPT = Path(__file__).with_name("server.py")
STARTS_WITHIN = 60  # seconds, on a machine that is busy
MAX_ORDER = 60_000  # bytes


class ServerAway(Exception):
    """It could not be started, or does not take orders."""


class ReaderServer:
    """One child that forks readers; it ends when the process that started it ends."""

    _lock: ClassVar[threading.Lock] = threading.Lock()
    _running: ClassVar[dict[str, ReaderServer]] = {}  # by name
    _ends_with: ClassVar[int] = 0  # the process that ends them as it ends

    def __init__(self, modules: list[str]) -> None:
        self.owner = os.getpid()
        self.control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603 - our own script and modules
                [sys.executable, "-I", str(SCRIPT), *modules],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,  # Ctrl-C in a terminal is not for it
            )
        try:
            self.control.settimeout(STARTS_WITHIN)
            greeting = json.loads(self.control.recv(MAX_ORDER))
            self.control.settimeout(None)
        except (OSError, ValueError) as failure:
            self.end()
            raise ServerAway(f"It ended as it started: {failure}") from failure
        self.without_network = bool(greeting["without_network"])

    @classmethod
    def of_this_process(cls, name: str, modules: list[str]) -> ReaderServer:
        """The running one of a name, started where there is none. Raises ServerAway."""
        with cls._lock:
            server = cls._running.get(name)
            if server is not None and server.owner == os.getpid():
                if server.is_there():
                    return server
                server.end()
            elif server is not None:  # of the process that forked this one
                server.control.close()
            if cls._ends_with != os.getpid():
                atexit.register(cls.end_of_this_process)
                cls._ends_with = os.getpid()
            cls._running.pop(name, None)
            cls._running[name] = cls(modules)
            return cls._running[name]

    @classmethod
    def end_of_this_process(cls) -> None:
        """End those that are of this process."""
        servers, cls._running = cls._running, {}
        for server in servers.values():
            if server.owner == os.getpid():
                server.end()

    def is_there(self) -> bool:
        """Whether it takes orders. One that died has closed its end."""
        poll = select.poll()
        poll.register(self.control, 0)  # hang-ups are told whatever one waits for
        return not poll.poll(0)

    def send(self, order: list[Any], body: int, answer: int) -> None:
        """Have a reader forked that reads one descriptor and writes to the other.

        Raises ServerAway.
        """
        text = json.dumps(order).encode()
        if len(text) > MAX_ORDER:
            raise ValueError("an order of this length cannot be given")
        try:
            socket.send_fds(self.control, [text], [body, answer])
        except OSError as failure:
            raise ServerAway(str(failure)) from failure

    def end(self) -> None:
        """Let it go; its readers may finish what they do."""
        self.control.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# A process forked while another thread held the lock would wait for ever.
os.register_at_fork(
    after_in_child=lambda: setattr(ReaderServer, "_lock", threading.Lock())
)
