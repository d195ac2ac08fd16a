"""A contributor uploads files for a requirement; bad ones leave nothing behind."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from controls.models import AuditEvent
from evidence.models import (
    Blob,
    Evidence,
    EvidenceFile,
    EvidenceLink,
    EvidenceRevision,
)
from tests.evidence import house as houses
from tests.evidence.house import House, file
from tests.one_day import TODAY

pytestmark = pytest.mark.django_db
MEGABYTE = 1_048_576


@pytest.fixture(autouse=True)
def store_folder(settings, tmp_path: Path) -> Path:
    settings.EVIDENCE_STORE = str(tmp_path)
    settings.MFA_REQUIRED = False
    return tmp_path


@pytest.fixture
def house(store_folder: Path) -> House:
    return houses.build()


@pytest.fixture
def url(house: House) -> str:
    asked = house.requirement()
    return reverse("evidence:upload", args=[house.system.slug, asked.uuid])


def said(**changes) -> dict:
    return {
        "title": "Patch report",
        "performed_on": TODAY.isoformat(),
        "period_start": TODAY.replace(day=1).isoformat(),
        "period_end": TODAY.isoformat(),
        "collected_on": TODAY.isoformat(),
        "source_system": "console",
        "procedure": "List of instances, sorted",
        "sensitivity": "internal",
        "files": [file()],
    } | changes


def lying(folder: Path) -> list[Path]:
    """Every file in the store, also the half-written ones."""
    return [path for path in folder.rglob("*") if path.is_file()]


def test_form_says_what_it_proves_and_by_when(client: Client, house, url):
    client.force_login(house.alice)
    page = client.get(url).content.decode()
    assert "CM-8" in page
    assert "our half of" in page
    assert "a setting is so" in page
    oldest = house.system.window_start.replace(day=1)  # R14: what is open longest
    assert f'value="{oldest}"' in page


def test_contributor_submits_files_and_sees_the_evidence(
    client, house, url, store_folder
):
    client.force_login(house.alice)
    files = [file("a.txt", b"one"), file("b.json", b"[2]")]
    answer = client.post(url, said(files=files))
    found = Evidence.objects.get()
    assert answer.status_code == 302
    assert answer["Location"] == reverse("evidence:evidence", args=[found.uuid])
    link = EvidenceLink.objects.get()
    assert (link.state, link.submitted_by) == ("submitted", house.alice)
    digests = [f.blob.sha256 for f in EvidenceFile.objects.order_by("position")]
    assert digests == [
        hashlib.sha256(b"one").hexdigest(),
        hashlib.sha256(b"[2]").hexdigest(),
    ]
    assert sorted(path.name for path in lying(store_folder)) == sorted(digests)
    media = set(Blob.objects.values_list("media_type", flat=True))
    assert media == {"text/plain", "application/json"}
    event = AuditEvent.objects.get(verb="evidence.submitted")
    assert event.actor == house.alice
    assert "Patch report" in client.get(answer["Location"]).content.decode()


def test_what_came_too_late_to_prove_a_day_says_so(client, house, url):
    """R13: never a first day behind a last one. Page and API."""
    client.force_login(house.alice)
    july = {"period_start": "2026-07-01", "period_end": "2026-07-31"}
    answer = client.post(url, said(files=[file("a.txt", b"one")], **july))
    link = EvidenceLink.objects.get()
    assert link.proves_to < link.proves_from == TODAY
    page = client.get(answer["Location"]).content.decode()
    assert "no day: the due day of the next period had passed" in page
    assert f"{link.proves_from} to" not in page
    told = client.get(f"/api/v1/evidence/{link.uuid}/").json()
    assert told["proves_to"] < told["proves_from"]


def test_same_bytes_twice_are_one_blob_and_two_rows(client, house, url, store_folder):
    client.force_login(house.alice)
    client.post(url, said())
    client.post(url, said(title="Again"))
    assert Evidence.objects.count() == 2
    assert Blob.objects.count() == 1
    assert len(lying(store_folder)) == 1


@pytest.mark.parametrize("name", ["bob", "rita", "audrey", "ray"])
def test_others_of_the_system_may_not_upload(client, house, url, name, store_folder):
    client.force_login(house.people[name])
    assert client.get(url).status_code == 403
    assert client.post(url, said()).status_code == 403
    assert not Evidence.objects.exists()
    assert lying(store_folder) == []


def test_outsider_and_foreign_requirement_are_not_found(client, house, url):
    client.force_login(house.mallory)
    assert client.get(url).status_code == 404
    client.force_login(house.alice)
    unknown = "00000000-0000-4000-8000-000000000000"
    assert (
        client.get(reverse("evidence:upload", args=["shop", unknown])).status_code
        == 404
    )
    asked = house.requirement()
    elsewhere = reverse("evidence:upload", args=["other", asked.uuid])
    assert client.get(elsewhere).status_code == 404


def test_signed_out_person_is_sent_to_sign_in(client, url):
    assert client.get(url).status_code == 302
    assert client.delete(url).status_code in {302, 405}


def test_form_without_its_token_is_refused(house, url):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(house.alice)
    assert strict.post(url, said()).status_code == 403
    assert not Evidence.objects.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"files": [file(content=b"")]}, "empty"),
        ({"files": []}, "Choose at least one file."),
        ({"performed_on": "2026-02-30"}, "2026-02-30” is not a day such as"),
        ({"performed_on": "soon"}, "soon” is not a day such as"),
        ({"performed_on": "2999-01-01"}, "lies outside 1990-01-01 to 2200-12-31"),
        ({"performed_on": "2199-01-01", "collected_on": "2199-01-01"}, "in the future"),
        ({"period_end": "2001-01-01"}, "comes before its first day"),
        ({"collected_on": "2001-01-01"}, "before it was performed"),
        ({"sensitivity": "secret"}, "no such choice"),
        ({"title": "x" * 201}, "“Title” may have at most 200 characters; it has 201."),
        ({"addresses": "javascript:alert(1)"}, "is not an address"),
        ({"addresses": "https://a.example\nnot one"}, "“not one” is not an address"),
        ({"files": [file(), file()]}, "attached twice"),
    ],
)
def test_bad_input_is_said_and_leaves_nothing(
    client, house, url, changes, sentence, store_folder
):
    client.force_login(house.alice)
    answer = client.post(url, said(**changes))
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not Evidence.objects.exists()
    assert lying(store_folder) == []


def test_file_over_the_limit_is_413_and_leaves_nothing(
    client, house, url, settings, store_folder
):
    settings.MAX_UPLOAD_BYTES = 1000
    client.force_login(house.alice)
    files = [file("small.txt", b"s" * 900), file("big.txt", b"b" * 200)]
    answer = client.post(url, said(files=files))
    assert answer.status_code == 413
    assert "Nothing was stored" in answer.content.decode()
    assert not Evidence.objects.exists()
    assert lying(store_folder) == []


class Endless(io.RawIOBase):
    """A body that claims two gibibytes and counts what is read of it."""

    def __init__(self, head: bytes) -> None:
        self.head, self.given = head, 0

    def read(self, size: int = -1) -> bytes:
        chunk, self.head = self.head[:size], self.head[size:]
        chunk += b"x" * max(0, size - len(chunk))
        self.given += len(chunk)
        return chunk


def body_of(client: Client, url: str, content_length: int, body: io.RawIOBase):
    return client.generic(
        "POST",
        url,
        CONTENT_TYPE="multipart/form-data; boundary=XX",
        CONTENT_LENGTH=str(content_length),
        **{"wsgi.input": body},
    )


HEAD = (
    b'--XX\r\nContent-Disposition: form-data; name="title"\r\n\r\nBig\r\n'
    b'--XX\r\nContent-Disposition: form-data; name="files"; filename="b.bin"\r\n\r\n'
)


def test_too_long_a_body_is_refused_by_its_announced_length(
    client, house, url, settings, store_folder
):
    """UP-01."""
    settings.MAX_UPLOAD_BYTES = 5 * MEGABYTE
    client.force_login(house.alice)
    body = Endless(HEAD)
    assert body_of(client, url, 2048 * MEGABYTE, body).status_code == 413
    assert body.given == 0


def test_stream_stops_within_a_megabyte_of_the_limit(
    client, house, url, settings, store_folder
):
    """UP-01."""
    settings.MAX_UPLOAD_BYTES = 5 * MEGABYTE
    client.force_login(house.alice)
    body = Endless(HEAD)
    announced = 6 * MEGABYTE - 10  # just within what is let through by length
    assert body_of(client, url, announced, body).status_code == 413
    assert body.given <= 6 * MEGABYTE
    assert lying(store_folder) == []


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_upload_that_breaks_off_leaves_neither_row_nor_bytes(
    client, house, url, share, store_folder
):
    client.force_login(house.alice)
    whole = HEAD + b"y" * 200_000 + b"\r\n--XX--\r\n"
    cut = io.BytesIO(whole[: int(len(whole) * share)])
    answer = body_of(client, url, len(whole), cut)
    assert answer.status_code == 400
    assert "broke off" in answer.content.decode()
    assert not Evidence.objects.exists()
    assert lying(store_folder) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\x\\report.txt", "report.txt"),
        ("r\u202efdp.txt", "rfdp.txt"),
        ("con.txt", "_con.txt"),
        ("a" * 300 + ".txt", "a" * 196 + ".txt"),
    ],
)
def test_names_show_what_they_are(client, house, url, given, kept, store_folder):
    """UP-06."""
    client.force_login(house.alice)
    client.post(url, said(files=[file(given)]))
    assert EvidenceFile.objects.get().name == kept
    assert lying(store_folder)[0].name == hashlib.sha256(b"patched").hexdigest()


def test_addresses_are_shown_and_never_fetched(client, house, url):
    """IN-01: nothing is fetched, so nothing can be reached."""
    client.force_login(house.alice)
    text = "https://tickets.example.org/4711\n\nhttps://tickets.example.org/4711\n"
    client.post(url, said(addresses=text))
    revision = EvidenceRevision.objects.get()
    assert revision.addresses == ["https://tickets.example.org/4711"]
    page = client.get(f"/evidence/{revision.evidence.uuid}/").content.decode()
    assert 'href="https://tickets.example.org/4711" rel="noopener noreferrer' in page
