"""A backup: one snapshot of the database, and the bytes of evidence that it names.

Others write meanwhile. The set holds all that was begun before `known_at`: an answer as
of that instant is the same here and where the set is restored. Source: RE-11.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psycopg

from controls.errors import Refused, TransitionNotAllowed
from controls.history.clock import knowledge_now, wait_for_older_writers
from controls.models import AuditEvent
from controls.models.audit import Event
from evidence.backup import dump
from evidence.backup.containers import (
    TAR,
    HashedReader,
    SetWriter,
    Unreadable,
    writer_of,
)
from evidence.backup.manifest import (
    DUMP,
    LISTING,
    MANIFEST,
    ListedFile,
    Manifest,
    blob_name,
    read_listing,
)
from evidence.models import Blob
from evidence.storage import Store, open_store
from evidence.storage.fsck import Pace, examine

MAX_WAIT = 60.0  # seconds for writers that began before us
WRITERS = (
    "Something has been written for more than a minute and is not done: a migration, or"
    " a long import. Nothing was backed up. Try again when it is done."
)
BLOBS_IN_STORE = f"""
SELECT sha256, size_bytes FROM {Blob._meta.db_table}
 WHERE purged_at IS NULL ORDER BY sha256
"""  # noqa: S608 - a table of ours
LAST_OF_CHAINS = f"""
SELECT DISTINCT ON (chain) chain, seq, encode(hash, 'hex')
  FROM {AuditEvent._meta.db_table} ORDER BY chain, seq DESC
"""  # noqa: S608 - a table of ours
MIGRATIONS = "SELECT app || '.' || name FROM django_migrations ORDER BY 1"
Progress = Callable[[int, int], None]  # files written, and how many there are


@dataclass(frozen=True)
class BackupMade:
    """What a set holds, and hex sha256 of its manifest, which names all the rest."""

    manifest: Manifest
    sha256: str


class BytesDiffer(Refused):
    """The store does not hold what the records say."""

    def __init__(self, sha256: str, why: str) -> None:
        super().__init__(
            f"The evidence {sha256[:12]} is not as recorded: {why} Nothing was backed"
            " up. `manage.py evidence_fsck` names all of them; --leave-out-broken makes"
            " a backup without them."
        )


@dataclass(frozen=True)
class _Frozen:
    """What one state of the database says; its blobs are listed in a file."""

    postgresql: str
    migrations: list[str]
    chains: dict[str, tuple[int, str]]


def make_backup(
    target: Path, *, progress: Progress, leave_out_broken: bool = False
) -> BackupMade:
    """Write a set that is whole and verified, or nothing; that is recorded.

    Every byte is hashed while it is copied. Raises Refused (the target is there, or a
    byte is not as recorded), TransitionNotAllowed (somebody writes for long),
    DumpFailed, StoreUnreachable, OSError.
    """
    if target.exists():
        raise Refused(f"{target} is there already: name a new {_kind(target)}.")
    if not target.parent.is_dir():
        raise Refused(f"There is no folder {target.parent}.")
    known_at = knowledge_now()
    if not wait_for_older_writers(known_at, seconds=MAX_WAIT):
        raise TransitionNotAllowed(WRITERS)
    writer = writer_of(target)
    try:
        with tempfile.TemporaryDirectory(prefix=".srm", dir=target.parent) as work:
            made = _Making(writer, Path(work), progress, leave_out_broken).run(
                known_at.isoformat()
            )
        writer.finish()
    finally:
        writer.discard()
    _record(made)
    return made


class _Making:
    """One backup on its way: what was frozen, and which files are in the set by now."""

    def __init__(
        self, writer: SetWriter, work: Path, progress: Progress, leave_out_broken: bool
    ) -> None:
        self.writer, self.progress = writer, progress
        self.leave_out_broken = leave_out_broken
        self.dump, self.blobs = work / "dump", work / "blobs"
        self.listing = (work / "listing").open("w+b")
        self.digest, self.listing_bytes = hashlib.sha256(), 0
        self.left_out: list[str] = []
        self.count = self.blob_bytes = 0

    def run(self, known_at: str) -> BackupMade:
        with self.listing:
            frozen = self._freeze()
            with self.dump.open("rb") as file:
                self._add(DUMP, self.dump.stat().st_size, file)
            self._copy_blobs()
            return self._describe(frozen, known_at)

    def _freeze(self) -> _Frozen:
        """Dump one state of the database, and list the blobs that it names."""
        with dump.snapshot() as (reader, name):
            dump.dump_to(self.dump, name)
            self.total = self._list_blobs(reader)
            chains = reader.execute(LAST_OF_CHAINS).fetchall()
            return _Frozen(
                postgresql=str(reader.info.server_version),
                migrations=[row[0] for row in reader.execute(MIGRATIONS)],
                chains={chain: (seq, last) for chain, seq, last in chains},
            )

    def _list_blobs(self, reader: psycopg.Connection) -> int:
        total = 0
        with reader.cursor("blobs") as rows, self.blobs.open("wb") as listing:
            for sha256, size in rows.execute(BLOBS_IN_STORE):
                listing.write(ListedFile(blob_name(sha256), size, sha256).line())
                total += 1
        return total

    def _copy_blobs(self) -> None:
        store = open_store()
        with self.blobs.open("rb") as listing:
            for number, listed in enumerate(read_listing(listing), start=1):
                self._copy(store, listed)
                self.progress(number, self.total)

    def _copy(self, store: Store, listed: ListedFile) -> None:
        if self.leave_out_broken and self._is_broken(store, listed):
            self.left_out.append(listed.sha256)
            return
        try:
            with store.open(listed.sha256) as file:
                written = self._add(listed.name, listed.size_bytes, file)
        except (FileNotFoundError, Unreadable) as failure:
            if _was_removed(listed):  # its bytes went while we copied others
                self.left_out.append(listed.sha256)
                return
            why = "it cannot be read from the store."
            raise BytesDiffer(listed.sha256, why) from failure
        if written != listed:
            raise BytesDiffer(listed.sha256, "other bytes lie there.")
        self.count += 1
        self.blob_bytes += listed.size_bytes

    def _is_broken(self, store: Store, listed: ListedFile) -> bool:
        blob = Blob.objects.in_store().filter(sha256=listed.sha256).first()
        return blob is None or examine(store, blob, Pace()) is not None

    def _add(self, name: str, size_bytes: int, file: BinaryIO) -> ListedFile:
        """Put a file into the set and into its list, as it was read."""
        hashed = HashedReader(file, size_bytes)
        self.writer.add(name, size_bytes, hashed)
        hashed.read(1)  # beyond its size there is nothing
        listed = ListedFile(name, hashed.size_bytes, hashed.digest.hexdigest())
        self.listing.write(listed.line())
        self.digest.update(listed.line())
        self.listing_bytes += len(listed.line())
        return listed

    def _describe(self, frozen: _Frozen, known_at: str) -> BackupMade:
        listing = ListedFile(LISTING, self.listing_bytes, self.digest.hexdigest())
        self.listing.seek(0)
        self.writer.add(LISTING, self.listing_bytes, HashedReader(self.listing))
        manifest = Manifest(
            known_at=known_at,
            postgresql=frozen.postgresql,
            migrations=frozen.migrations,
            chains=frozen.chains,
            blobs=self.count,
            blob_bytes=self.blob_bytes,
            listing=listing,
            left_out=self.left_out,
        )
        body = manifest.as_bytes()
        self.writer.add(MANIFEST, len(body), HashedReader(io.BytesIO(body)))
        return BackupMade(manifest, hashlib.sha256(body).hexdigest())


def _was_removed(listed: ListedFile) -> bool:
    return not Blob.objects.in_store().filter(sha256=listed.sha256).exists()


def _kind(target: Path) -> str:
    return "file" if target.suffix == TAR else "folder"


def _record(made: BackupMade) -> None:
    """Write that everything left, as a download is written (AU-01)."""
    manifest = made.manifest
    body = {
        "manifest_sha256": made.sha256,
        "known_at": manifest.known_at,
        "blobs": manifest.blobs,
        "left_out": len(manifest.left_out),
    }
    event = Event("backup.made", subject_label="database and evidence", body=body)
    AuditEvent.objects.append(event)
