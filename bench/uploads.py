"""Uploads through HTTP: a real web server, real clients, real bytes."""

from __future__ import annotations

import http.client
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.test import Client

from controls.models import System, User
from evidence.files.scan import scan
from evidence.models.blobs import Blob, ScanState
from tests.clamd import BINARY, configured

CSRF = "a" * 32
BOUNDARY = "srm-bench-boundary"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """gunicorn as `make run` starts it, on a port of its own."""

    def __init__(
        self, application: str = "srm_project.wsgi:application", **env_of_its_own: str
    ) -> None:
        self.port = free_port()
        env = {**os.environ, "SRM_ROLE": "app", "SRM_PROCESS": "web"} | env_of_its_own
        command = [
            *(sys.executable, "-m", "gunicorn", application),
            *("--bind", f"127.0.0.1:{self.port}", "--workers", "2", "--threads", "20"),
            *("--worker-class", "gthread", "--log-level", "error"),
        ]
        self.process = subprocess.Popen(command, env=env)
        for _ in range(1200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)

    def _workers(self) -> Iterator[tuple[Path, str]]:
        """The folder in /proc and the status of each worker."""
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                status = (folder / "status").read_text()
            except OSError:
                continue
            if f"PPid:\t{self.process.pid}\n" in status:
                yield folder, status

    def largest_rss(self) -> float:
        """Megabytes of the largest worker now."""
        megabytes = [0.0]
        for _, status in self._workers():
            line = next(x for x in status.splitlines() if x.startswith("VmRSS"))
            megabytes.append(int(line.split()[1]) / 1024)
        return max(megabytes)

    def processor_seconds(self) -> float:
        """How long all workers together have been at work: other programs on the same
        machine make a page slow, and this not."""
        ticks = 0
        for folder, _ in self._workers():
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])  # of the program, of the kernel
        return ticks / os.sysconf("SC_CLK_TCK")

    @contextmanager
    def watched(self) -> Iterator[list[float]]:
        """Megabytes of the largest worker, looked at 20 times a second."""
        seen, over = [self.largest_rss()], threading.Event()

        def look() -> None:
            while not over.wait(0.05):
                seen.append(self.largest_rss())

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            yield seen
        finally:
            over.set()
            watcher.join()

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait()


def session_of(by: User) -> str:
    """The cookie header of somebody signed in."""
    client = Client()
    client.force_login(by, backend="django.contrib.auth.backends.ModelBackend")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return (
        f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={CSRF}"
    )


def form_head(system: System, day: str) -> bytes:
    """The fields before the file's bytes."""
    fields = {
        "csrfmiddlewaretoken": CSRF,
        "title": "Bench",
        "performed_on": day,
        "period_start": day,
        "period_end": day,
        "collected_on": day,
        "sensitivity": "internal",
    }
    parts = [
        f"--{BOUNDARY}\r\nContent-Disposition: form-data;"
        f' name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ]
    parts.append(
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files";'
        ' filename="bench.txt"\r\nContent-Type: text/plain\r\n\r\n'
    )
    return "".join(parts).encode()


TAIL = f"\r\n--{BOUNDARY}--\r\n".encode()


def body_of(size: int) -> bytes:
    """Text of `size` bytes that nobody has uploaded before."""
    mark = secrets.token_hex(16).encode() + b"\n"
    line = b"0123456789abcdef" * 64 + b"\n"
    return (mark + line * (size // len(line) + 1))[:size]


def upload(
    port: int, path: str, cookie: str, head: bytes, body: bytes, times: int = 1
) -> int:
    """One upload of the body, that many times over; the status of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {
        "Host": "localhost",
        "Cookie": cookie,
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(len(head) + len(body) * times + len(TAIL)),
        "Origin": settings.SITE_URL,
    }
    connection.putrequest("POST", path, skip_host=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    with suppress(BrokenPipeError, ConnectionResetError):  # refused on the way
        connection.send(head)
        for start in range(0, len(body) * times, 1 << 20):
            here = start % len(body)
            connection.send(body[here : here + (1 << 20)])
        connection.send(TAIL)
    status = connection.getresponse().status
    connection.close()
    return status


def measure_uploads(
    system: System, by: User, day: str, show: Callable[[str], None]
) -> None:
    """Print uploads per second, MB/s and the memory of the web process."""
    requirement = system.requirements.first()
    path = f"/systems/{system.slug}/requirements/{requirement.uuid}/upload/"
    cookie, head = session_of(by), form_head(system, day)
    server = Server()
    try:

        def send(body: bytes) -> int:
            return upload(server.port, path, cookie, head, body)

        for _ in range(4):
            assert send(body_of(1000)) == 302
        for size, clients, uploads_each in (
            (100_000, 1, 60),
            (100_000, 8, 40),
            (10_000_000, 1, 10),
            (10_000_000, 8, 6),
        ):
            _rate(send, size, clients, uploads_each, show)
        show(f"RSS of the largest web process: {server.largest_rss():.0f} MB")
        with server.watched() as seen:
            status = send(body_of(499_000_000))
        show(f"highest RSS while 499 MB were stored ({status}): {max(seen):.0f} MB")
        part = body_of(1 << 20)
        with server.watched() as seen:
            status = upload(server.port, path, cookie, head, part, times=2048)
        show(f"highest RSS while 2 GiB were refused ({status}): {max(seen):.0f} MB")
        _scanned(send, show)
    finally:
        server.stop()


def _scanned(send: Callable[[bytes], int], show: Callable[[str], None]) -> None:
    """The scan queue: what one worker scans, of what was just uploaded."""
    if BINARY is None:
        show("scan queue: no clamd on this machine")
        return
    with tempfile.TemporaryDirectory() as folder:
        clamd = configured(Path(folder))
        clamd.start()
        settings.CLAMAV_URL = clamd.url
        try:
            start = time.perf_counter()
            pks = Blob.objects.filter(size_bytes=100_000).values_list("pk", flat=True)
            Blob.objects.filter(pk__in=pks).update(scan_state=ScanState.PENDING)
            states = [scan(pk) for pk in pks]
        finally:
            clamd.stop()
            settings.CLAMAV_URL = ""
    rate = len(states) / (time.perf_counter() - start)
    clean = states.count(ScanState.CLEAN)
    show(
        f"scan queue, 100 kB, one worker: {rate:.0f}/s ({clean} of {len(states)} clean)"
    )


def _rate(
    send: Callable[[bytes], int],
    size: int,
    clients: int,
    uploads_each: int,
    show: Callable[[str], None],
) -> None:
    bodies = [[body_of(size) for _ in range(uploads_each)] for _ in range(clients)]
    statuses: list[int] = []

    def work(mine: list[bytes]) -> None:
        statuses.extend(send(body) for body in mine)

    threads = [threading.Thread(target=work, args=[mine]) for mine in bodies]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = time.perf_counter() - start
    good = statuses.count(302)
    rate, volume = good / taken, good * size / taken / 1e6
    what = f"{size // 1000} kB, {clients} client{'s' if clients > 1 else ''}"
    refused = len(statuses) - good
    show(f"uploads of {what}: {rate:.1f}/s, {volume:.0f} MB/s ({refused} refused)")
