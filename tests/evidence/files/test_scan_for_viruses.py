"""UP-10: with a scanner, no file is opened or accepted before it is found clean."""

from __future__ import annotations

import io
import socket
import zipfile
from contextlib import closing, suppress
from pathlib import Path
from threading import Thread

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from controls.models import AuditEvent
from evidence.files import scan
from evidence.jobs.work import sweep
from evidence.models import Blob, EvidenceLink
from evidence.models.blobs import ScanState
from evidence.submissions.submission import Submission
from evidence.submissions.submit import submit
from evidence.submissions.uploads import store
from tests.clamd import virus
from tests.evidence import house as houses
from tests.evidence.files.test_refuse_bad_content import make_word
from tests.evidence.house import House, submitted
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> Path:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return tmp_path


@pytest.fixture
def house(store_folder) -> House:
    return houses.build()


def bring(house: House, name: str, body: bytes) -> EvidenceLink:
    said = Submission("Patch report", TODAY, TODAY, TODAY, TODAY)
    asked, upload = house.requirement(), store(name, [body])
    return submit(said, [upload], requirement=asked, by=house.alice, today=TODAY)


def blob_of(link: EvidenceLink) -> Blob:
    return link.revision.files.get().blob


def opened(client, link: EvidenceLink) -> int:
    file = link.revision.files.get()
    answer = client.get(reverse("evidence:download", args=[file.uuid]))
    if answer.streaming:
        assert b"".join(answer.streaming_content)
    return answer.status_code


def zipped(name: str, body: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, body)
    return out.getvalue()


def test_a_file_waits_until_it_is_clean(client, house, clamd):
    client.force_login(house.rita)
    link = bring(house, "report.txt", b"patched")
    blob = blob_of(link)
    assert blob.scan_state == ScanState.PENDING
    assert opened(client, link) == 409
    with pytest.raises(ValidationError, match="waits for the virus scanner"):
        link.accept(by=house.rita)

    assert scan.scan(blob.pk) == ScanState.CLEAN

    assert opened(client, link) == 200
    link.accept(by=house.rita)
    assert link.state == "accepted"


CARRIERS = {
    "plain.txt": virus,
    "in.zip": lambda: zipped("note.txt", virus()),
    "in.docx": lambda: make_word(**{"word/media/note.txt": virus()}),
}


@pytest.mark.parametrize("name", CARRIERS)
def test_a_virus_is_found_wherever_it_hides(client, house, clamd, name):
    link = bring(house, name, CARRIERS[name]())
    assert scan.scan(blob_of(link).pk) == ScanState.INFECTED
    for person in (house.rita, house.olivia, house.alice):
        client.force_login(person)
        assert opened(client, link) == 409
    with pytest.raises(ValidationError, match="carries a virus"):
        link.accept(by=house.rita)
    event = AuditEvent.objects.get(verb="file.infected")
    assert blob_of(link).sha256 in event.body
    assert "Test-Signature" in event.body


def test_without_an_answer_it_stays_shut_and_is_tried_again(client, house, clamd):
    client.force_login(house.rita)
    link = bring(house, "report.txt", b"patched")
    clamd.stop()
    assert scan.scan(blob_of(link).pk) == ScanState.ERROR
    assert opened(client, link) == 409
    clamd.start()
    assert scan.scan(blob_of(link).pk) == ScanState.ERROR, "it waits a minute"
    Blob.objects.update(due_at=None)
    assert sweep(scan.SCANS) == 1
    assert scan.scan(blob_of(link).pk) == ScanState.CLEAN


def test_a_scanner_that_is_away_uses_up_one_attempt(house, clamd):
    pk = blob_of(bring(house, "report.txt", b"patched")).pk
    clamd.stop()
    for waits in range(4):
        assert scan.scan(pk) == ScanState.ERROR
        blob = Blob.objects.get(pk=pk)
        assert (blob.attempts, blob.waits, blob.given_up_at) == (1, waits, None)
        Blob.objects.update(due_at=None)


def test_a_scanner_that_breaks_off_uses_up_all(house, settings):
    """It may be the bytes that end it: such a file is not tried for ever."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        settings.CLAMAV_URL = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        pk = blob_of(bring(house, "report.txt", b"patched")).pk
        Thread(target=answer_pings_only, args=[server], daemon=True).start()
        for _ in range(scan.SCANS.max_attempts):
            assert scan.scan(pk) == ScanState.ERROR
            Blob.objects.update(due_at=None)
    blob = Blob.objects.get(pk=pk)
    assert blob.given_up_at and blob.waits == 0
    assert "Given up after 5 attempts" in blob.scan_detail


def test_a_socket_that_is_not_there_yet_is_no_missing_file(house, settings, tmp_path):
    settings.CLAMAV_URL = f"unix://{tmp_path}/not-there-yet"
    pk = blob_of(bring(house, "report.txt", b"patched")).pk
    assert scan.scan(pk) == ScanState.ERROR
    blob = Blob.objects.get(pk=pk)
    assert blob.given_up_at is None
    assert "No such file" in blob.scan_detail and "store" not in blob.scan_detail


def answer_pings_only(server: socket.socket) -> None:
    """Closes each conversation about a file before its answer."""
    with suppress(OSError):  # the server was closed
        while True:
            talk, _ = server.accept()
            with talk:
                if talk.recv(64).startswith(b"nPING"):
                    talk.sendall(b"PONG\n")


def test_longer_than_the_scanner_takes_is_an_error_and_not_clean(house, clamd):
    link = bring(house, "long.txt", b"x" * 3_000_000)
    assert scan.scan(blob_of(link).pk) == ScanState.ERROR
    with pytest.raises(ValidationError, match="could not be scanned"):
        link.accept(by=house.rita)


def test_two_workers_scan_once(house, clamd):
    blob = blob_of(bring(house, "report.txt", b"patched"))
    Blob.objects.filter(pk=blob.pk).update(leased_until="2999-01-01T00:00Z")
    assert scan.scan(blob.pk) == ScanState.PENDING


def test_bytes_from_before_the_scanner_wait_as_well(client, house, settings, clamd):
    settings.CLAMAV_URL = ""
    link = submitted(house, "old")
    settings.CLAMAV_URL = clamd.url
    client.force_login(house.rita)
    assert opened(client, link) == 409
    again = submitted(house, "old")
    assert blob_of(again).scan_state == ScanState.PENDING


def test_without_a_scanner_the_page_says_so(client, house):
    client.force_login(house.rita)
    link = submitted(house)
    assert blob_of(link).scan_state == ScanState.NOT_SCANNED
    page = client.get(
        reverse("evidence:evidence", args=[link.revision.evidence.uuid])
    ).content.decode()
    assert "not scanned" in page
    assert opened(client, link) == 200
