"""RE-17: visitors who never finish what they send leave threads for everybody else.

The web server is the one that is deployed, gunicorn, with fewer threads than visitors.
"""

from __future__ import annotations

import http.client
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from srm_project.local.paths import PROJECT
from srm_project.local.ports import free_port
from srm_project.visitors_bodies import MAX_PLACES

VISITORS = 12


@pytest.fixture
def port(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[int]:
    """Where one process with eight threads listens."""
    seconds = getattr(request, "param", "120")
    number = free_port()
    command = f"-m gunicorn srm_project.wsgi:application --bind 127.0.0.1:{number}"
    command += " --workers 1 --threads 8 --worker-class gthread --no-control-socket"
    with (tmp_path / "web.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, *command.split()],
            cwd=PROJECT,
            env=os.environ | {"VISITOR_BODY_SECONDS": seconds},
            stdout=log,
            stderr=log,
        )
    while probe(number) != 200:
        assert server.poll() is None, (tmp_path / "web.log").read_text()
        time.sleep(0.2)
    yield number
    server.terminate()
    server.wait()


def probe(port: int) -> int:
    """The status of /livez; 0 for no answer."""
    web = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        web.request("GET", "/livez")
        return int(web.getresponse().status)
    except OSError:
        return 0
    finally:
        web.close()


def begin(port: int, path: bytes = b"/accounts/login/") -> socket.socket:
    """A sign-in whose body never ends."""
    visitor = socket.create_connection(("127.0.0.1", port))
    visitor.sendall(
        b"POST " + path + b" HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n"
        b"Content-Length: 5000\r\n\r\nlogin="
    )
    return visitor


def status_of(visitor: socket.socket) -> int:
    """What a visitor is answered, who waits as long as it takes."""
    visitor.settimeout(60)
    return int(visitor.recv(4096).split()[1])


def answer_to(port: int, path: bytes = b"/accounts/login/") -> str:
    """All that a visitor reads who comes while every place is taken."""
    with begin(port, path) as visitor:
        visitor.settimeout(60)
        return b"".join(iter(lambda: visitor.recv(4096), b"")).decode()


@pytest.mark.slow
def test_probes_are_answered_while_visitors_finish_nothing(port: int) -> None:
    """Three wait for their own bodies; the others are told to come back."""
    with ExitStack() as open_sockets:
        visitors = [open_sockets.enter_context(begin(port)) for _ in range(VISITORS)]
        assert [probe(port) for _ in range(3)] == [200, 200, 200]
        answered: set[socket.socket] = set()
        while len(answered) < VISITORS - MAX_PLACES:
            waiting = [each for each in visitors if each not in answered]
            readable, _, _ = select.select(waiting, [], [], 60)
            assert readable, f"only {len(answered)} were answered"
            assert [status_of(visitor) for visitor in readable] == [503] * len(readable)
            answered |= set(readable)
        waiting = [each for each in visitors if each not in answered]
        assert select.select(waiting, [], [], 0)[0] == []
        page, problem = answer_to(port), answer_to(port, b"/api/v1/systems/")
        assert "text/html" in page and "<h1>Not now</h1>" in page
        assert "application/problem+json" in problem and '"Try again"' in problem


@pytest.mark.slow
@pytest.mark.parametrize("port", ["1"], indirect=True)
def test_a_body_that_does_not_come_in_time_gives_its_place_back(port: int) -> None:
    for _ in range(5):
        with begin(port) as visitor:
            assert status_of(visitor) == 408
