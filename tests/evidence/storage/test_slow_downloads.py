"""A slow store slows only who opens its files; one that drips is cut off in time.

Rules: downloads and previews have a bound of places of their own, the rest is told to
come back; no transaction is open meanwhile; pages and probes are answered; every answer
of the store has an end. A real S3 server behind an address that throttles it, and a
real web server of one process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import urllib3
from django.test import Client
from django.urls import reverse

from evidence.models import EvidenceFile
from evidence.storage import BrokeOff, S3Store, StoreUnreachable, open_store
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests.evidence import house as houses
from tests.evidence.house import TODAY, House, patch_report
from tests.evidence.storage.test_hanging_store import Web, eventually, serving
from tests.seaweed import Bucket, Seaweed
from tests.slow_s3 import Throttled

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
BYTES = b"patched: web-1, web-2, db-1\n" * 180_000  # its size gives it 78 seconds
PLACES = 3
A_DRIP, A_TRICKLE, A_FLOW = 40, 2_000, 30_000  # bytes a second


@pytest.fixture
def house(settings: Any, tmp_path: Path, bucket: Bucket) -> House:
    settings.MFA_REQUIRED = False
    return houses.build()


@pytest.fixture
def file(house: House) -> EvidenceFile:
    """A text of 5 MB in the bucket."""
    link = submit(
        patch_report(),
        [store("report.txt", [BYTES])],
        requirement=house.requirement(),
        by=house.alice,
        today=TODAY,
    )
    return link.revision.files.get()


@pytest.fixture
def slow(
    settings: Any, one_seaweed: Seaweed, file: EvidenceFile
) -> Iterator[Throttled]:
    """Between us and the bucket from now on."""
    throttled = Throttled(one_seaweed.ports["s3"])
    settings.EVIDENCE_S3_ENDPOINT = throttled.url
    yield throttled
    throttled.close()


@pytest.fixture
def web(house: House, slow: Throttled) -> Iterator[Web]:
    with serving(house, DOWNLOADS_AT_ONCE=str(PLACES)) as started:
        yield started


def doors_of(file: EvidenceFile) -> list[str]:
    """Every address that reads the bytes of a text."""
    return [
        reverse("evidence:download", args=[file.uuid]),
        reverse("evidence:preview", args=[file.uuid]),
        f"/api/v1/files/{file.uuid}/content/",
    ]


def at_once(asks: list[Callable[[], Any]]) -> tuple[list[Any], list[threading.Thread]]:
    received: list[Any] = []
    threads = [
        threading.Thread(target=lambda ask=ask: received.append(ask())) for ask in asks
    ]
    for thread in threads:
        thread.start()
    return received, threads


def test_only_who_opens_files_waits(web, slow, file, owner_dsn) -> None:
    slow.bytes_a_second = A_TRICKLE
    doors = doors_of(file)
    received, threads = at_once([lambda d=door: web.ask("GET", d) for door in doors])
    eventually(lambda: slow.came >= PLACES)
    for door in doors:
        answer = web.ask("GET", door)
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5"), door
        assert "Too many files are being opened" in answer.data.decode()
    assert web.ask("GET", "/livez").status == 200
    assert web.ask("GET", "/systems/shop/").status == 200
    with psycopg.connect(owner_dsn) as database:
        waiting = database.execute(
            "SELECT state, query FROM pg_stat_activity WHERE datname ="
            " current_database() AND state LIKE 'idle in transaction%'"
        ).fetchall()
    assert waiting == []
    assert received == [], "the store was still busy"

    slow.bytes_a_second = None
    for thread in threads:
        thread.join(60)
    assert [answer.status for answer in received] == [200] * PLACES
    assert sum(answer.data == BYTES for answer in received) == 2
    assert web.ask("GET", doors[0]).data == BYTES, "its place was given back"


def test_whoever_goes_away_gives_the_place_back(web, slow, file) -> None:
    slow.bytes_a_second = A_FLOW
    address = f"http://127.0.0.1:{web.port}{doors_of(file)[0]}"
    headers = {"Host": "localhost", "Cookie": web.cookies}
    for _ in range(PLACES):
        answer = urllib3.request(
            "GET",
            address,
            headers=headers,
            preload_content=False,
            retries=False,
            timeout=60,
        )
        assert answer.status == 200
        answer.close()
    slow.bytes_a_second = None
    eventually(lambda: web.ask("GET", doors_of(file)[0]).status == 200)


@pytest.fixture
def hurried(slow: Throttled, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """The store, with two seconds for an answer of any size; another one is as patient
    as ever."""
    monkeypatch.setattr("evidence.storage.s3.SLOWEST", 10**9)
    opened = open_store()
    assert isinstance(opened, S3Store)
    opened.seconds = 2.0
    return opened


def test_an_answer_that_drips_is_cut_off(hurried, slow, file) -> None:
    sha256 = file.blob.sha256
    asks = {
        "open": lambda: hurried.open(sha256),
        "has": lambda: hurried.has(sha256),
        "writable": hurried.writable,
        "put": lambda: hurried.put([b"new"], limit=99),
        "put again": lambda: hurried.put([BYTES], limit=len(BYTES)),
    }
    for name, ask in asks.items():
        slow.bytes_a_second = A_DRIP
        with pytest.raises(StoreUnreachable):
            pytest.fail(f"{name}: {ask()!r}")
        slow.bytes_a_second = None
        assert open_store().has(sha256), name
    assert list(hurried.incoming.iterdir()) == []


def test_bytes_that_drip_are_cut_off(hurried, slow, file) -> None:
    with open_store().open(file.blob.sha256) as body:
        assert body.read() == BYTES
    slow.bytes_a_second = A_TRICKLE  # enough for the head of the answer
    with hurried.open(file.blob.sha256) as body, pytest.raises(BrokeOff):
        body.read()
    slow.bytes_a_second = None
    assert open_store().has(file.blob.sha256)


@pytest.mark.parametrize("kind", ["page", "api"])
def test_a_store_that_drips_is_an_answer_with_when_to_come_back(
    house, slow, file, monkeypatch, kind
) -> None:
    monkeypatch.setattr("evidence.storage.opening.SECONDS", 2.0)
    browser = Client(raise_request_exception=False)
    browser.force_login(house.alice)
    preview, content = doors_of(file)[1:]
    slow.bytes_a_second = A_DRIP
    answer = browser.get(preview if kind == "page" else content)
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "The evidence store" in answer.content.decode()


def test_a_preview_whose_bytes_drip_is_no_fault_of_ours(
    house, slow, file, monkeypatch
) -> None:
    monkeypatch.setattr("evidence.storage.opening.SECONDS", 2.0)
    monkeypatch.setattr("evidence.storage.s3.SLOWEST", 10**9)
    browser = Client(raise_request_exception=False)
    browser.force_login(house.alice)
    slow.bytes_a_second = A_TRICKLE  # enough for the head of the answer
    answer = browser.get(doors_of(file)[1])
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "too slow" in answer.content.decode()
