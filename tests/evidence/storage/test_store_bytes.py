"""Bytes get their name from what they are; a crash leaves no row without bytes."""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from evidence.files.names import clean_name
from evidence.models import Blob, Evidence, EvidenceFile
from evidence.storage import BlobTooLarge, LocalStore
from tests.evidence import house as houses


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    return LocalStore(tmp_path)


@settings(max_examples=40, deadline=None)
@given(content=some.binary(min_size=1, max_size=9000), size=some.integers(1, 4096))
def test_digest_read_again_equals_however_it_was_cut(
    tmp_path_factory, content: bytes, size: int
):
    """UP-02."""
    store = LocalStore(tmp_path_factory.mktemp("store"))
    chunks = [content[at : at + size] for at in range(0, len(content), size)]
    stored = store.put(chunks, limit=len(content))
    with store.open(stored.sha256) as file:
        again = file.read()
    assert again == content
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    assert stored.size_bytes == len(content)


def test_one_byte_too_many_leaves_nothing(store: LocalStore):
    with pytest.raises(BlobTooLarge):
        store.put([b"12345", b"6"], limit=5)
    assert not [path for path in store.root.rglob("*") if path.is_file()]


def test_same_bytes_twice_are_one_file(store: LocalStore):
    first = store.put([b"same"], limit=9)
    inode = store.path_of(first.sha256).stat().st_ino
    store.put([b"sa", b"me"], limit=9)
    assert store.path_of(first.sha256).stat().st_ino == inode


@pytest.mark.django_db
def test_failure_after_the_bytes_leaves_no_row(settings, tmp_path, monkeypatch):
    settings.EVIDENCE_STORE = str(tmp_path)
    house = houses.build()
    asked = house.requirement()

    def broken(*args: object, **kwargs: object) -> None:
        raise OSError("power cut")

    monkeypatch.setattr(EvidenceFile.objects, "bulk_create", broken)
    with pytest.raises(OSError, match="power cut"):
        houses.submitted(house, "text", requirement=asked)
    assert not Evidence.objects.exists()
    assert not Blob.objects.exists()
    assert LocalStore(tmp_path).path_of(hashlib.sha256(b"text").hexdigest()).exists()


@settings(max_examples=300, deadline=None)
@given(some.text(max_size=300))
def test_no_name_hides_what_it_is(name: str):
    """UP-06."""
    shown = clean_name(name)
    assert shown
    assert len(shown.encode()) <= 200
    assert not set("/\\\0\r\n\u202e\u2066\u200f") & set(shown)
    assert not shown.endswith((".", " "))
    assert all(unicodedata.category(c) not in {"Cc", "Cf", "Cs"} for c in shown)
    assert shown.split(".")[0].lower() not in {"con", "prn", "aux", "nul"}
