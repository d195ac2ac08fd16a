"""RE-03: who brings the same files at the same moment waits, and nobody is broken off.

Should the database break a transaction off after all (40001, 40P01), the request is
done once more, and who loses twice is told so.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connections
from django.test import Client
from django.urls import reverse

from evidence.models import Blob, EvidenceLink
from evidence.submissions import uploads
from srm_project import health
from tests.evidence import house as houses
from tests.evidence.house import House, file
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db(transaction=True)
ONE, OTHER = b"what was patched", b"what was not"
DAYS = {
    "performed_on": TODAY,
    "period_start": TODAY.replace(day=1),
    "period_end": TODAY,
    "collected_on": TODAY,
}
WAITS_FOR_A_LOCK = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
def house(settings: Any, tmp_path: Any) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    found = houses.build()
    found.requirement("si-2")
    return found


@pytest.fixture
def both_have_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has made a row of bytes waits a second for another to have made one."""
    barrier = threading.Barrier(2)

    def meet(name: str) -> None:
        if name == "after-insert" and not barrier.broken:
            try:
                barrier.wait(1)
            except threading.BrokenBarrierError:
                return

    monkeypatch.setattr(uploads, "failpoint", meet)


def page_upload(house: House, contents: list[bytes]) -> Any:
    body = DAYS | {"title": "Report", "sensitivity": "internal"}
    files = [file(f"{n}.txt", content) for n, content in enumerate(contents)]
    uuid = house.requirement().uuid
    path = reverse("evidence:upload", kwargs={"slug": "shop", "uuid": uuid})
    return signed_in(house).post(path, body | {"files": files})


def api_upload(house: House, contents: list[bytes]) -> Any:
    body = DAYS | {"title": "Report", "requirement": house.requirement().uuid}
    files = [file(f"{n}.txt", content) for n, content in enumerate(contents)]
    return signed_in(house).post(reverse("evidence-list"), body | {"files": files})


def bulk_upload(house: House, contents: list[bytes]) -> Any:
    rows = [f"{n}.txt,SI-2,{TODAY},Report {n}" for n in range(len(contents))]
    listed = "\n".join(["file,control,performed_on,title", *rows]).encode()
    files = [file(f"{n}.txt", content) for n, content in enumerate(contents)]
    browser, url = signed_in(house), "/systems/shop/upload/"
    shown = browser.post(url, {"list": file("list.csv", listed), "files": files})
    # read from the page: contexts of two threads mix in Django's test client
    token = re.search(r'name="token"\s+value="([^"]+)"', shown.content.decode())
    assert token is not None
    return browser.post(f"{url}confirm/", {"token": token[1]})


def signed_in(house: House) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(house.alice)
    return client


def in_thread(send: Callable[[], Any], answers: list[Any]) -> threading.Thread:
    def run() -> None:
        try:
            answers.append(send())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize("send", [page_upload, api_upload, bulk_upload])
def test_the_same_files_in_opposite_order_are_all_taken(
    house, both_have_begun, caplog, send
) -> None:
    answers: list[Any] = []
    with caplog.at_level(logging.WARNING, "srm.request"):
        threads = [
            in_thread(lambda order=order: send(house, order), answers)
            for order in ([ONE, OTHER], [OTHER, ONE])
        ]
        for thread in threads:
            thread.join(30)
    assert {answer.status_code for answer in answers} <= {201, 302}
    assert len(answers) == 2
    assert Blob.objects.count() == 2
    assert EvidenceLink.objects.count() == (4 if send is bulk_upload else 2)
    assert "once more" not in caplog.text


@pytest.fixture
def other_one(owner_dsn: str) -> Iterator[psycopg.Connection]:
    """A connection of somebody else's."""
    with psycopg.connect(owner_dsn) as connection:
        yield connection


def page_revision(house: House, link: EvidenceLink) -> Any:
    path = reverse("evidence:revision_new", args=[link.revision.evidence.uuid])
    body = DAYS | {"kind": "correction", "reason": "Wrong month."}
    return signed_in(house).post(path, body | {"files": [file(content=ONE)]})


def api_revision(house: House, link: EvidenceLink) -> Any:
    path = reverse("evidence-revise", kwargs={"uuid": link.uuid})
    body = DAYS | {"kind": "correction", "reason": "Wrong month."}
    return signed_in(house).post(path, body | {"files": [file(content=ONE)]})


@pytest.mark.parametrize("send", [page_revision, api_revision])
def test_whom_the_database_breaks_off_is_served_at_the_second_time(
    house, other_one, caplog, send
) -> None:
    """40P01: a revision holds the evidence and waits for bytes; another the reverse."""
    assert page_upload(house, [ONE]).status_code == 302
    kept = houses.submitted(house, "earlier")
    answers: list[Any] = []
    other_one.execute("SELECT FROM evidence_blob FOR UPDATE")
    with caplog.at_level(logging.WARNING, "srm.request"):
        thread = in_thread(lambda: send(house, kept), answers)
        for _ in range(3000):  # its own look for a circle comes a second after it waits
            if other_one.execute(WAITS_FOR_A_LOCK).fetchone() != (0,):
                break
            time.sleep(0.01)
        evidence = kept.revision.evidence_id
        other_one.execute(
            "SELECT FROM evidence_evidence WHERE id = %s FOR UPDATE", [evidence]
        )
        other_one.commit()
        thread.join(30)
    assert answers[0].status_code in {201, 302}, answers[0].content.decode()
    assert kept.revision.evidence.revisions.count() == 2
    assert caplog.text.count("once more") == 1


def broken_off() -> bool:
    """A step that another one wins against."""
    raise OperationalError("deadlock detected") from psycopg.errors.DeadlockDetected()


def test_who_loses_twice_is_told_to_send_it_again(client, monkeypatch) -> None:
    """Never “not reachable”: the database answers."""
    calls: list[bool] = []
    monkeypatch.setattr(health, "_store", lambda: calls.append(True) or broken_off())
    client.raise_request_exception = False
    answer = client.get("/readyz")
    assert (answer.status_code, answer["Retry-After"]) == (503, "1")
    assert "Nothing was saved: send it again." in answer.content.decode()
    assert len(calls) == 2
