"""RE-01: unreferenced bytes go after a day; bytes that a record names never do."""

from __future__ import annotations

import datetime as dt
import json
import os
import threading
import time
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, transaction

from controls import clock
from controls.errors import TransitionNotAllowed
from controls.history.clock import knowledge_now
from controls.models import AuditEvent
from evidence.models import Arrival, Blob
from evidence.storage import LocalStore, open_store
from evidence.storage import sweep as store_sweep
from evidence.storage.exclusive import LOCK_CLASS, SWEEPING, exclusive_lock
from evidence.storage.fsck import check_store
from tests.evidence import house as houses
from tests.evidence.house import submitted, submitted_as_it_comes

# the age of a file is told by the clock of the machine
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("machine_time")]
LATER = dt.timedelta(hours=25)


@pytest.fixture(autouse=True)
def folder(settings, tmp_path: Path) -> LocalStore:
    settings.EVIDENCE_STORE = str(tmp_path)
    return LocalStore(tmp_path)


def make_old(path: Path) -> None:
    old = time.time() - 25 * 3600
    os.utime(path, (old, old))


def test_old_orphans_and_unfinished_files_go_and_it_is_recorded(folder, capsys):
    old, fresh = (folder.put([body], limit=9).sha256 for body in (b"old", b"new"))
    (folder.incoming / "left").write_text("half a fi")
    (folder.incoming / "under-way").write_text("half")
    (folder.root / "notes.txt").write_text("mine")
    for path in (folder.path_of(old), folder.incoming / "left"):
        make_old(path)
    make_old(folder.root / "notes.txt")
    call_command("evidence_sweep")
    assert not folder.has(old)
    assert folder.has(fresh)
    assert [path.name for path in folder.incoming.iterdir()] == ["under-way"]
    assert (folder.root / "notes.txt").exists()
    body = json.loads(AuditEvent.objects.get(verb="evidence.swept").body)
    assert body["outcomes"] == {old: "The bytes were deleted from the store."}
    assert body["unfinished"] == 1
    out = capsys.readouterr().out
    assert "1 orphan, 1 unfinished file deleted." in out


def test_what_a_record_names_stays(folder):
    link = submitted(houses.build(), "proof")
    digest = link.revision.files.get().blob.sha256
    make_old(folder.path_of(digest))
    assert store_sweep.sweep_store(instant=clock.now()).outcomes == {}
    assert folder.has(digest)
    assert not Blob.objects.exclude(sha256=digest).exists()


def test_the_same_bytes_brought_again_are_young_again(folder):
    digest = folder.put([b"old"], limit=9).sha256
    make_old(folder.path_of(digest))
    folder.put([b"old"], limit=9)
    assert store_sweep.sweep_store(instant=clock.now()).outcomes == {}


def test_a_spill_that_came_back_is_destroyed_again_after_a_day(folder):
    """R32: what two officers destroyed stays destroyed, whatever puts it back."""
    digest = folder.put([b"spill"], limit=9).sha256
    removed_at = clock.now()
    Blob.objects.create(sha256=digest, size_bytes=5, purged_at=removed_at)
    assert store_sweep.sweep_store(instant=removed_at).outcomes == {}
    assert folder.has(digest)
    swept = store_sweep.sweep_store(instant=removed_at + LATER)
    assert swept.outcomes == {digest: "The bytes were deleted from the store."}
    assert not folder.has(digest)


def test_in_a_bucket_too(bucket):
    digest = open_store().put([b"old"], limit=9).sha256
    assert store_sweep.sweep_store(instant=clock.now()).outcomes == {}
    swept = store_sweep.sweep_store(instant=clock.now() + LATER)
    assert list(swept.outcomes) == [digest]
    assert not open_store().has(digest)


def test_under_retention_the_record_says_that_they_stay(locked_bucket):
    digest = open_store().put([b"old"], limit=9).sha256
    swept = store_sweep.sweep_store(instant=clock.now() + LATER)
    assert "They stay until" in swept.outcomes[digest]


@pytest.mark.django_db(transaction=True)
def test_an_upload_of_the_same_bytes_meanwhile_ends_with_bytes(folder, monkeypatch):
    """The sweep holds the digest; the upload waits, then stores the bytes anew."""
    house = houses.build()
    asked = house.requirement()
    digest = folder.put([b"proof"], limit=9).sha256
    make_old(folder.path_of(digest))
    real = LocalStore.destroy
    uploads: list[threading.Thread] = []

    def upload() -> None:
        submitted_as_it_comes(asked, house.alice)
        connection.close()

    def slow(self, sha256: str) -> str:
        uploads.append(threading.Thread(target=upload))
        uploads[0].start()
        time.sleep(0.7)
        make_old(self.path_of(sha256))
        return real(self, sha256)

    monkeypatch.setattr(LocalStore, "destroy", slow)
    swept = store_sweep.sweep_store(instant=clock.now())
    uploads[0].join()
    assert Blob.objects.filter(sha256=digest).exists()
    assert check_store(instant=clock.now()).findings == []
    assert len(swept.outcomes) == 1


def test_a_plan_whose_bytes_were_swept_is_refused(folder, monkeypatch):
    house = houses.build()
    monkeypatch.setattr(LocalStore, "has", lambda self, sha256: False)
    with pytest.raises(ValidationError, match="no longer there"):
        submitted(house, "proof")
    assert not Blob.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_sweep_waits_for_an_upload_and_spares_its_bytes(folder):
    digest = folder.put([b"proof"], limit=9).sha256
    make_old(folder.path_of(digest))
    found: list[store_sweep.Swept] = []

    def sweep() -> None:
        found.append(store_sweep.sweep_store(instant=clock.now()))
        connection.close()

    with transaction.atomic():
        Blob.objects.create(sha256=digest, size_bytes=5)
        thread = threading.Thread(target=sweep)
        thread.start()
        time.sleep(0.5)
        assert folder.has(digest)
    thread.join()
    assert found[0].outcomes == {}
    assert folder.has(digest)


@pytest.mark.django_db(transaction=True)
def test_between_store_and_record_a_sweep_spares_what_is_brought(folder, monkeypatch):
    """Bytes that lay there as an old orphan are not made young by every store."""
    house = houses.build()
    asked = house.requirement()
    digest = folder.put([b"proof"], limit=9).sha256
    sweeps: list[store_sweep.SweepResult] = []
    settle = LocalStore.settle

    def settle_and_sweep(self: LocalStore, *args: object) -> None:
        settle(self, *args)
        month_ago = time.time() - 30 * 24 * 3600
        os.utime(self.path_of(digest), (month_ago, month_ago))
        # what is expected is told by the database's clock
        sweeps.append(store_sweep.sweep_store(instant=knowledge_now()))

    monkeypatch.setattr(LocalStore, "settle", settle_and_sweep)
    submitted_as_it_comes(asked, house.alice)
    assert sweeps[0].outcomes == {}
    assert check_store(instant=clock.now()).findings == []
    later = clock.now() + LATER
    assert store_sweep.sweep_store(instant=later).outcomes == {}
    assert not Arrival.objects.exists(), "what is over goes with a sweep"


@pytest.mark.django_db(transaction=True)
def test_only_one_sweeps_at_a_time(owner_dsn, capsys):
    with psycopg.connect(owner_dsn) as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_CLASS, SWEEPING])
        with pytest.raises(SystemExit) as left:
            call_command("evidence_sweep")
        other.execute("SELECT pg_advisory_unlock_all()")
    assert left.value.code == 2
    assert "Another process" in capsys.readouterr().err


HOLDERS = """
SELECT a.state, a.pid = pg_backend_pid()
  FROM pg_locks l JOIN pg_stat_activity a USING (pid)
 WHERE l.locktype = 'advisory' AND l.classid = %s AND l.objid = %s AND l.granted
"""


@pytest.mark.django_db(transaction=True)
def test_its_lock_is_a_transactions_so_that_a_pooler_may_lie_between() -> None:
    """A session's would stay behind on whichever connection the pooler gave us."""

    def holders() -> list[tuple[str, bool]]:
        with connection.cursor() as cursor:
            cursor.execute(HOLDERS, [LOCK_CLASS, SWEEPING])
            return cursor.fetchall()

    with exclusive_lock(SWEEPING):
        assert holders() == [("idle in transaction", False)]
        with pytest.raises(TransitionNotAllowed), exclusive_lock(SWEEPING):
            pass
        assert len(holders()) == 1
    assert holders() == []
    with pytest.raises(ValueError, match="broken"), exclusive_lock(SWEEPING):
        raise ValueError("broken")
    assert holders() == []
