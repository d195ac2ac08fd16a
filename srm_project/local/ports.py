"""Where to listen: the address, and a port that is free."""

from __future__ import annotations

import os
import socket

LOOPBACK = "127.0.0.1"
FIRST, TRIES = 8000, 100


class PortTaken(Exception):
    """The port that was asked for belongs to somebody else."""


def web_host() -> str:
    """The address that the web server listens on."""
    return os.environ.get("HOST") or LOOPBACK


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def listen(host: str, port: int) -> socket.socket:
    """A bound, listening socket, or PortTaken."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as refused:
        listener.close()
        raise PortTaken(f"Port {port} on {host}: {refused.strerror}.") from refused
    listener.listen(512)
    return listener


def listen_somewhere(host: str, first: int = FIRST) -> socket.socket:
    """The first port from `first` on that is free."""
    for port in range(first, first + TRIES):
        try:
            return listen(host, port)
        except PortTaken:
            continue
    raise PortTaken(f"No free port between {first} and {first + TRIES - 1}.")
