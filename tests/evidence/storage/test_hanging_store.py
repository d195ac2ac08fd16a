"""A slow store slows only what writes to it; one that hangs is an answer in time.

Rules: uploads have a bound of places of their own, the rest is told to come back; no
transaction is open and no lock held while the store is spoken to; pages and probes
are answered meanwhile. A real web server of one process, and an address that takes
S3's requests slowly, or takes them and is silent.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
import urllib3
from django.conf import settings as configured
from django.test import Client

from evidence.models import EvidenceLink
from tests.evidence import house as houses
from tests.evidence.house import House
from tests.evidence.storage.test_kill_while_storing import environment
from tests.one_day import TODAY, real_time
from tests.seaweed import free_ports
from tests.slow_s3 import StandIn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PLACES, SENT_AT_ONCE, THREADS = 8, 11, 20  # of one process, as `make run` has it


@dataclass
class Web:
    """The server, and the browser of alice."""

    port: int
    cookies: str
    path: str

    def ask(self, method: str, path: str, **more: Any) -> Any:
        headers = {"Host": "localhost", "Cookie": self.cookies}
        headers["Origin"] = configured.SITE_URL
        return urllib3.request(
            method,
            f"http://127.0.0.1:{self.port}{path}",
            headers=headers,
            redirect=False,
            retries=False,
            timeout=60,
            **more,
        )

    def upload(self, number: int) -> Any:
        day = str(TODAY)
        fields = {
            "csrfmiddlewaretoken": "a" * 32,
            "title": "Report",
            "sensitivity": "internal",
            "performed_on": day,
            "period_start": str(TODAY.replace(day=1)),
            "period_end": day,
            "collected_on": day,
            "files": ("report.txt", f"{number}\n" * 10_000, "text/plain"),
        }
        return self.ask("POST", self.path, fields=fields)


@pytest.fixture
def house(settings: Any, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def store(settings: Any, tmp_path: Path) -> Iterator[StandIn]:
    stand_in = StandIn(pause=0.3)
    settings.EVIDENCE_STORE = "s3://evidence/proof"
    settings.EVIDENCE_S3_ENDPOINT = f"http://127.0.0.1:{stand_in.port}"
    settings.EVIDENCE_S3_REGION = "us-east-1"
    settings.WORK_FOLDER = str(tmp_path)
    yield stand_in
    stand_in.close()


@pytest.fixture
def web(house: House, store: StandIn) -> Iterator[Web]:
    credentials = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    with serving(house, UPLOADS_AT_ONCE=str(PLACES), **credentials) as started:
        yield started


@contextmanager
def serving(house: House, **settings_of_server: str) -> Iterator[Web]:
    """A real web server of one process, and the browser of alice at it."""
    (port,) = free_ports(1)
    client = Client()
    with real_time():  # the server's clock is the machine's
        client.force_login(house.alice)
    session = client.cookies[configured.SESSION_COOKIE_NAME].value
    cookies = f"{configured.SESSION_COOKIE_NAME}={session};"
    cookies += f" {configured.CSRF_COOKIE_NAME}={'a' * 32}"
    requirement = house.requirement().uuid
    command = f"-m gunicorn srm_project.wsgi:application --bind 127.0.0.1:{port}"
    command += f" --workers 1 --threads {THREADS} --worker-class gthread"
    command += " --log-level error --no-control-socket"
    process = subprocess.Popen(
        [sys.executable, *command.split()],
        cwd=configured.BASE_DIR,
        env=environment("")
        | {
            "SRM_PROCESS": "web",
            "MFA_REQUIRED": "no",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        | settings_of_server,
    )
    web = Web(port, cookies, f"/systems/shop/requirements/{requirement}/upload/")
    try:
        eventually(lambda: answers(web))
        assert web.ask("GET", "/systems/").status == 200
        yield web
    finally:
        process.terminate()
        process.wait()


def answers(web: Web) -> bool:
    try:
        return bool(web.ask("GET", "/livez").status == 200)
    except urllib3.exceptions.HTTPError:
        return False


def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("not within a minute")


def upload_at_once(web: Web) -> tuple[list[Any], list[threading.Thread]]:
    """Answers as they come, to as many uploads that are sent together."""
    received: list[Any] = []
    threads = [
        threading.Thread(target=lambda n=n: received.append(web.upload(n)))
        for n in range(SENT_AT_ONCE)
    ]
    for thread in threads:
        thread.start()
    return received, threads


@pytest.mark.parametrize("silent", [False, True], ids=["slow", "hanging"])
def test_only_who_writes_waits(house, web, store, silent, owner_dsn) -> None:
    store.silent = silent
    received, threads = upload_at_once(web)
    eventually(lambda: len(received) == SENT_AT_ONCE - PLACES)
    eventually(lambda: len(store.came) >= PLACES)
    for answer in received:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "Too many files are being uploaded" in answer.data.decode()
    assert web.ask("GET", "/livez").status == 200
    assert web.ask("GET", "/systems/shop/").status == 200
    with psycopg.connect(owner_dsn) as database:
        waiting = database.execute(
            "SELECT state, query FROM pg_stat_activity WHERE datname ="
            " current_database() AND state LIKE 'idle in transaction%'"
        ).fetchall()
    assert waiting == []
    assert len(received) == SENT_AT_ONCE - PLACES, "the store was still busy"

    for thread in threads:
        thread.join(60)
    late = received[SENT_AT_ONCE - PLACES :]
    if silent:
        assert [answer.status for answer in late] == [503] * PLACES
        assert {answer.headers["Retry-After"] for answer in late} == {"60"}
        assert all("does not answer" in answer.data.decode() for answer in late)
        assert web.ask("GET", "/readyz").json()["evidence_store"] is False
        assert EvidenceLink.objects.count() == 0
    else:
        assert [answer.status for answer in late] == [302] * PLACES
        assert EvidenceLink.objects.count() == PLACES
    store.silent, store.pause = False, 0
    assert web.upload(99).status == 302, "its place was given back"
