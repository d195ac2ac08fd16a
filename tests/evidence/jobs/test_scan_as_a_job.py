"""UP-10: a scan counts once, from the worker that holds it, and waits for clamd."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from controls.models import AuditEvent
from evidence.files import scan
from evidence.files.clamd import ScannerFailed
from evidence.files.scan import SCANS, scan_blob
from evidence.jobs.leases import take
from evidence.jobs.work import sweep, work_on
from evidence.models import Blob, EvidenceLink
from tests.evidence import house as houses
from tests.evidence.house import House, submitted
from tests.evidence.jobs.chores import (
    MINUTE,
    Clock,
    in_another_connection,
)

pytestmark = pytest.mark.django_db(transaction=True)
PAST = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Scanner:
    """Takes the bytes in pieces; `meanwhile` happens before each."""

    def __init__(self, meanwhile: Callable[[], Any] = bool) -> None:
        self.meanwhile = meanwhile
        self.answer: str | ScannerFailed | None = None

    def ping(self) -> None:
        pass

    def scan(self, pieces: Iterable[bytes]) -> str | None:
        self.meanwhile()
        for _ in pieces:
            self.meanwhile()
        if isinstance(self.answer, ScannerFailed):
            raise self.answer
        return self.answer


@pytest.fixture
def house(settings, tmp_path: Path) -> House:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    settings.CLAMAV_URL = "tcp://127.0.0.1:1"  # nobody listens there
    return houses.build()


@pytest.fixture
def link(house) -> EvidenceLink:
    return submitted(house, "patched")


def blob() -> Blob:
    return Blob.objects.get()


def use(monkeypatch: pytest.MonkeyPatch, scanner: Scanner) -> None:
    monkeypatch.setattr(scan, "_client", lambda: scanner)


def page(client, house: House, link: EvidenceLink) -> str:
    client.force_login(house.rita)
    url = reverse("evidence:evidence", args=[link.revision.evidence.uuid])
    return " ".join(client.get(url).content.decode().split())


def test_a_scan_longer_than_its_lease_stays_with_its_worker(link, monkeypatch):
    clock = Clock()

    def pass_two_minutes() -> None:
        clock.passes(2 * MINUTE)
        assert in_another_connection(lambda: [take(SCANS, blob().pk, clock)]) == [None]
        assert not connection.in_atomic_block

    use(monkeypatch, Scanner(pass_two_minutes))
    work_on(SCANS, blob().pk, clock)
    assert (blob().scan_state, blob().attempts) == ("clean", 1)


def test_whose_lease_was_taken_cannot_call_a_virus_clean(link, monkeypatch):
    first, second = Scanner(), Scanner()
    second.answer = "Test-Signature"

    def overtake() -> None:
        use(monkeypatch, second)
        first.meanwhile = bool
        Blob.objects.update(leased_until=PAST)
        in_another_connection(lambda: scan_blob(blob().pk) or True)

    first.meanwhile = overtake
    use(monkeypatch, first)
    scan_blob(blob().pk)
    assert (blob().scan_state, blob().scan_detail) == ("infected", "Test-Signature")
    assert blob().attempts == 2
    assert AuditEvent.objects.filter(verb="file.infected").count() == 1


def test_while_the_scanner_is_away_one_attempt_is_spent_and_no_more(
    client, house, link
):
    for _ in range(8):
        scan_blob(blob().pk)
        Blob.objects.update(due_at=None)
    assert (blob().scan_state, blob().attempts, blob().waits) == ("error", 1, 7)
    assert blob().given_up_at is None
    assert "The scanner did not answer" in page(client, house, link)


def test_given_up_the_page_says_why_and_new_bytes_begin_anew(
    client, house, link, monkeypatch
):
    scanner = Scanner()
    scanner.answer = ScannerFailed("Can't allocate memory")
    use(monkeypatch, scanner)
    for _ in range(5):
        scan_blob(blob().pk)
        Blob.objects.update(due_at=None)
    assert blob().given_up_at is not None
    assert sweep(SCANS) == 0
    assert (
        "Given up after 5 attempts. The scanner gave no answer: Can&#x27;t allocate"
        in (page(client, house, link))
    )
    scanner.answer = None
    submitted(house, "patched")
    assert (blob().given_up_at, blob().attempts) == (None, 0)
    scan_blob(blob().pk)
    assert (blob().scan_state, blob().scan_detail) == ("clean", "")


def test_bytes_that_are_not_in_the_store_are_given_up_at_once(link, monkeypatch):
    use(monkeypatch, Scanner())
    scan.open_store().destroy(blob().sha256)
    scan_blob(blob().pk)
    assert blob().scan_detail == "The bytes are not in the store."
    assert (blob().scan_state, sweep(SCANS)) == ("error", 0)
