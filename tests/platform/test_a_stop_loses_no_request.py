"""RE-13: a web server that is told to stop answers what it has begun, then ends.

The web server is the one that is deployed, gunicorn; the requests are on their way
while the signal comes that `make run`, systemd and container hosts send.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from srm_project.local.paths import PROJECT
from srm_project.local.ports import free_port

BODY = b'{"csp-report": {"blocked-uri": "inline"}}'
GRACEFUL = 30  # seconds, gunicorn's own default
REQUESTS = 3

pytestmark = pytest.mark.slow


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def server(port: int, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One process with eight threads."""
    command = f"-m gunicorn srm_project.wsgi:application --bind 127.0.0.1:{port}"
    command += " --workers 1 --threads 8 --worker-class gthread --no-control-socket"
    command += f" --graceful-timeout {GRACEFUL}"
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=PROJECT,
            env=os.environ | {"VISITOR_BODY_SECONDS": "120"},
            stdout=log,
            stderr=log,
        )
    while not answers(port):
        assert process.poll() is None, (tmp_path / "web.log").read_text()
        time.sleep(0.2)
    yield process
    process.kill()
    process.wait()


def answers(port: int) -> bool:
    """Whether somebody new is answered."""
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        web.request("GET", "/livez")
        return web.getresponse().status == 200
    except OSError:
        return False
    finally:
        web.close()


def begin(port: int) -> socket.socket:
    """A request whose last byte is still to come."""
    visitor = socket.create_connection(("127.0.0.1", port), timeout=60)
    head = "POST /csp-report/ HTTP/1.1\r\nHost: localhost\r\n"
    head += f"Content-Length: {len(BODY)}\r\n\r\n"
    visitor.sendall(head.encode() + BODY[:-1])
    return visitor


def end(visitor: socket.socket) -> int:
    """Send the last byte; the status of the answer."""
    with visitor:
        visitor.sendall(BODY[-1:])
        return int(visitor.recv(4096).split()[1])


def wait_until_told(log: Path) -> None:
    """Until the server says that the signal came."""
    for _ in range(300):
        if "Handling signal: term" in log.read_text():
            return
        time.sleep(0.1)
    raise TimeoutError("The server was not told to stop.")


def test_what_was_begun_is_answered(server, port, tmp_path) -> None:
    visitors = [begin(port) for _ in range(REQUESTS)]
    time.sleep(1)  # they are read by threads now, not only in a queue
    server.send_signal(signal.SIGTERM)
    wait_until_told(tmp_path / "web.log")
    time.sleep(1)  # the process that answers was told by then, too
    assert server.poll() is None
    assert [end(visitor) for visitor in visitors] == [204] * REQUESTS
    assert server.wait(timeout=60) == 0
