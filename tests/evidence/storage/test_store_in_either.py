"""A folder and a bucket keep the same promises about bytes."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest
from django.urls import reverse

from evidence.models import EvidenceFile
from evidence.storage import BlobTooLarge, LocalStore, OtherBytes, open_store
from tests.evidence import house as houses

ABC = hashlib.sha256(b"abc").hexdigest()


@pytest.fixture(autouse=True)
def store(either_store: str) -> str:
    return either_store


def spoil(settings, request, body: bytes) -> None:
    """Other bytes under the digest of “abc”."""
    found = open_store()
    if isinstance(found, LocalStore):
        found.path_of(ABC).write_bytes(body)
    else:
        bucket = request.getfixturevalue("bucket")
        bucket.overwrite(f"proof/{ABC[:2]}/{ABC}", body)


def names() -> list[str]:
    return [each.sha256 for each in open_store().everything()]


def test_what_goes_in_comes_out():
    body = bytes(range(256)) * 20_000
    stored = open_store().put([body[:7], body[7:]], limit=len(body))
    assert stored.sha256 == hashlib.sha256(body).hexdigest()
    assert stored.size_bytes == len(body)
    with open_store().open(stored.sha256) as file:
        assert file.read() == body
    with open_store().open(stored.sha256) as file:
        assert file.read(5) == body[:5]
    assert names() == [stored.sha256]
    assert open_store().writable()


def test_one_byte_too_many_leaves_nothing():
    with pytest.raises(BlobTooLarge):
        open_store().put([b"12345", b"6"], limit=5)
    assert names() == []
    assert list(open_store().incoming.iterdir()) == []


def test_bytes_wait_under_a_temporary_name_until_kept():
    incoming = open_store().begin(limit=100)
    incoming.write(b"abc")
    assert incoming.seal().sha256 == ABC
    with incoming.reread() as body:
        assert body.read() == b"abc"
    assert not open_store().has(ABC)
    incoming.keep()
    incoming.close()
    assert open_store().has(ABC)
    assert list(open_store().incoming.iterdir()) == []


def test_dropped_bytes_are_nowhere():
    incoming = open_store().begin(limit=100)
    incoming.write(b"abc")
    incoming.close()
    assert names() == []


def test_same_bytes_twice_are_kept_once():
    open_store().put([b"abc"], limit=9)
    open_store().put([b"a", b"bc"], limit=9)
    assert names() == [ABC]


def test_same_bytes_at_the_same_time_are_kept_once():
    failures: list[BaseException] = []
    body = b"x" * 300_000

    def put() -> None:
        try:
            open_store().put([body], limit=len(body))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=put) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert names() == [hashlib.sha256(body).hexdigest()]


def test_other_bytes_under_the_digest_are_not_relied_on(settings, request):
    open_store().put([b"abc"], limit=9)
    spoil(settings, request, b"ab")
    with pytest.raises(OtherBytes, match="evidence_fsck"):
        open_store().put([b"abc"], limit=9)


def test_missing_bytes_are_file_not_found():
    assert not open_store().has(ABC)
    with pytest.raises(FileNotFoundError):
        open_store().open(ABC)


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a" * 63, "A" * 64])
def test_what_is_no_digest_is_refused(name):
    for ask in (open_store().open, open_store().has, open_store().destroy):
        with pytest.raises(ValueError):
            ask(name)


def test_destroyed_bytes_are_gone_and_said_to_be():
    open_store().put([b"abc"], limit=9)
    assert open_store().destroy(ABC) == "The bytes were deleted from the store."
    assert not open_store().has(ABC)
    assert open_store().destroy(ABC) == "The bytes were not in the store."


@pytest.mark.django_db
def test_evidence_is_uploaded_shown_and_downloaded(client, settings, store):
    settings.MFA_REQUIRED = False
    house = houses.build()
    link = houses.submitted(house, "1: proof")
    file = EvidenceFile.objects.get(revision=link.revision)
    client.force_login(house.alice)
    answer = client.get(reverse("evidence:download", args=[file.uuid]))
    assert b"".join(answer.streaming_content) == b"1: proof"
    assert answer["Content-Length"] == "8"
    shown = client.get(reverse("evidence:preview", args=[file.uuid]))
    assert "1: proof" in shown.content.decode()


def test_work_folder_holds_no_bytes_afterwards(tmp_path: Path, store):
    open_store().put([b"abc"], limit=9)
    left = [path.name for path in tmp_path.rglob("*") if path.is_file()]
    assert left == ([ABC] if store == "folder" else [])
