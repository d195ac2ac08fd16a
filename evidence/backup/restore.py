"""A verified set into an empty database and an empty store, or nothing at all.

Every byte of the set is compared with its list before anything is written. Then bytes
come first, rows last and in one transaction: whatever breaks off leaves an empty
database, and bytes that the next attempt with the same set takes over. Source: RE-11.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO

from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from controls.errors import Refused, TransitionNotAllowed
from controls.history import chain
from controls.history.install import install
from controls.models import AuditEvent
from controls.models.audit import Event
from evidence.backup import dump
from evidence.backup.containers import HashedReader, SetReader, reader_of, reading
from evidence.backup.manifest import (
    BLOBS,
    DUMP,
    LISTING,
    MANIFEST,
    MAX_MANIFEST_BYTES,
    BrokenSet,
    ListedFile,
    Manifest,
    blob_name,
    read_listing,
    read_manifest,
)
from evidence.models import Blob
from evidence.storage import Store, open_store
from evidence.storage.base import is_digest

NOT_EMPTY = (
    "The database has tables already; a backup is restored into an empty one. Make a"
    " new database, name it in DATABASE_OWNER_URL and DATABASE_URL, and do not run"
    " migrate in it before."
)
FOREIGN_STORE = (
    "The evidence store holds {name}, which is not in the backup; a backup is restored"
    " into an empty store. Name another in EVIDENCE_STORE."
)
Progress = Callable[[int, int], None]  # blobs stored, and how many there are


@dataclass(frozen=True)
class Restored:
    """What is in force now.

    `to_migrate` is how many migrations this code has more; `differences` are sentences
    on what is not as it should be, and empty while something is to be migrated.
    """

    manifest: Manifest
    sha256: str
    to_migrate: int
    differences: list[str]


def restore_backup(source: Path, *, progress: Progress) -> Restored:
    """Restore a set. Run it as the role that owns the database.

    Raises BrokenSet, TransitionNotAllowed (database or store are not empty), Refused
    (newer code made the set), DumpFailed, StoreFull, StoreUnreachable, OSError: nothing
    of the database is written then.
    """
    if not dump.is_empty():
        raise TransitionNotAllowed(NOT_EMPTY)
    reader = reader_of(source)
    with tempfile.TemporaryDirectory(prefix="srm-restore-") as work:
        verified = _Verifying(reader, Path(work)).run()
        manifest = verified.manifest
        to_migrate = _refuse_newer(manifest)
        store = open_store()
        _refuse_foreign_bytes(store, verified.listing)
        _store_blobs(reader, store, manifest, progress)
        dump.load_from(verified.dump)
    connection.close()
    differences = [] if to_migrate else _put_in_force(manifest, verified.sha256)
    return Restored(manifest, verified.sha256, to_migrate, differences)


def _put_in_force(manifest: Manifest, sha256: str) -> list[str]:
    """Grant the rights of this machine's roles; returns what differs."""
    with transaction.atomic(), connection.cursor() as cursor:
        install(cursor)
    differences = list(_differences(manifest))
    _record(manifest, sha256)
    return differences


@dataclass(frozen=True)
class _Verified:
    """A set whose every byte is as its manifest says."""

    manifest: Manifest
    sha256: str
    dump: Path
    listing: Path


class _Verifying:
    """Reads a set once; keeps its dump, its list, and a list of what was read."""

    def __init__(self, reader: SetReader, work: Path) -> None:
        self.reader = reader
        self.dump, self.listing = work / "dump", work / "listing"
        self.read_files = work / "read"
        self.manifest: bytes | None = None
        self.listing_read = ListedFile(LISTING, 0, "")

    def run(self) -> _Verified:
        with self.read_files.open("wb") as lines:
            for name, file in self.reader.files():
                if self.manifest is not None:
                    raise BrokenSet(f"Something follows {MANIFEST} of the set.")
                self._read(name, file, lines)
        if self.manifest is None:
            raise BrokenSet(f"The set ends before its {MANIFEST}.")
        manifest = read_manifest(self.manifest)
        if manifest.listing != self.listing_read:
            raise BrokenSet(f"{LISTING} is not the one that {MANIFEST} names.")
        self._compare(manifest)
        digest = hashlib.sha256(self.manifest).hexdigest()
        return _Verified(manifest, digest, self.dump, self.listing)

    def _read(self, name: str, file: BinaryIO, lines: BinaryIO) -> None:
        if name == MANIFEST:
            with reading(name):
                self.manifest = file.read(MAX_MANIFEST_BYTES)
        elif name == LISTING:
            self.listing_read = _copied(name, file, self.listing)
        elif name == DUMP:
            lines.write(_copied(name, file, self.dump).line())
        elif name.startswith(BLOBS):
            lines.write(_copied(name, file, Path(os.devnull)).line())
        else:
            raise BrokenSet(f"{name} is in the set, which no backup writes.")

    def _compare(self, manifest: Manifest) -> None:
        """Raise BrokenSet at the first file that is not as listed."""
        blobs = size = 0
        with self.listing.open("rb") as expected, self.read_files.open("rb") as actual:
            for line, read_line in zip_longest(expected, actual):
                if line is None:
                    raise BrokenSet("The set holds more files than its list.")
                listed = next(read_listing(io.BytesIO(line)))
                if line != read_line:
                    raise BrokenSet(f"{listed.name} of the set is not as it was made.")
                blobs += listed.is_blob
                size += listed.size_bytes if listed.is_blob else 0
        if not self.dump.exists():
            raise BrokenSet(f"The set has no {DUMP}.")
        if (blobs, size) != (manifest.blobs, manifest.blob_bytes):
            raise BrokenSet("The set holds other evidence than its manifest says.")


def _copied(name: str, file: BinaryIO, target: Path) -> ListedFile:
    """Copy a file, and say what was read."""
    hashed = HashedReader(file)
    with reading(name), target.open("wb") as copy:
        for piece in hashed:
            copy.write(piece)
    return ListedFile(name, hashed.size_bytes, hashed.digest.hexdigest())


def _refuse_newer(manifest: Manifest) -> int:
    """How many migrations this code has beyond the set's.

    Raises Refused for a set of newer code: its tables would not be understood.
    """
    known = {f"{app}.{name}" for app, name in _migrations_of_code()}
    unknown = sorted(set(manifest.migrations) - known)
    if unknown:
        raise Refused(
            f"A newer version of SRM made this backup: {unknown[0]} is not known here."
            " Restore it with that version or a newer one. Nothing was written."
        )
    return len(known - set(manifest.migrations))


def _migrations_of_code() -> set[tuple[str, str]]:
    loader = MigrationLoader(None, replace_migrations=False)
    return set(loader.disk_migrations)


def _refuse_foreign_bytes(store: Store, listing: Path) -> None:
    """Raise TransitionNotAllowed where the store holds what is not in the set.

    What an attempt that broke off left of the same set may lie there. Both are in the
    order of their digests, so neither is held in memory.
    """
    with listing.open("rb") as lines:
        blobs = (listed.sha256 for listed in read_listing(lines) if listed.is_blob)
        expected = next(blobs, "")
        for stored in store.everything():
            while expected and expected < stored.sha256:
                expected = next(blobs, "")
            if not stored.sha256 or stored.sha256 != expected:
                raise TransitionNotAllowed(FOREIGN_STORE.format(name=stored.name))


def _store_blobs(
    reader: SetReader, store: Store, manifest: Manifest, progress: Progress
) -> None:
    """Bring all bytes into the store, hashed once more on the way.

    Raises BrokenSet where the set changed since it was verified, TransitionNotAllowed
    where the store has other bytes under a digest.
    """
    count = 0
    for name, file in reader.files():
        if not name.startswith(BLOBS):
            continue
        sha256 = name.rpartition("/")[2]
        if not is_digest(sha256) or name != blob_name(sha256):
            raise BrokenSet(f"{name} is in the set, which no backup writes.")
        _refuse_other_bytes(store, sha256)
        with reading(name):
            stored = store.put(HashedReader(file), limit=manifest.blob_bytes)
        if stored.sha256 != sha256:
            raise BrokenSet(f"{name} changed while it was restored.")
        count += 1
        progress(count, manifest.blobs)


def _refuse_other_bytes(store: Store, sha256: str) -> None:
    """Of what an attempt that broke off has left, under a digest."""
    if not store.has(sha256):
        return
    with store.open(sha256) as file:
        lying = _copied(sha256, file, Path(os.devnull))
    if lying.sha256 != sha256:
        raise TransitionNotAllowed(
            f"The evidence store holds other bytes under {sha256}: empty it first."
        )


def _differences(manifest: Manifest) -> Iterator[str]:
    """In what the rows are not what the manifest speaks of, in sentences."""
    for name, (seq, last) in sorted(manifest.chains.items()):
        event = AuditEvent.objects.filter(chain=name).order_by("-seq").first()
        if event is None or (event.seq, bytes(event.hash).hex()) != (seq, last):
            yield f"The audit log {name} does not end as in the backup."
    for first_break in chain.verify_all():
        yield (
            f"The audit log {first_break.chain} does not verify: event"
            f" {first_break.seq}, {first_break.why}."
        )
    if Blob.objects.in_store().count() != manifest.blobs + len(manifest.left_out):
        yield "The rows name other evidence than the backup holds."
    for sha256 in manifest.left_out:
        yield f"The evidence {sha256} is not in the backup: it was not as recorded."


def _record(manifest: Manifest, sha256: str) -> None:
    body = {"manifest_sha256": sha256, "known_at": manifest.known_at}
    # The bucket may be another one: the worker sets its holds again.
    Blob.objects.filter(held_in_store=True).update(held_in_store=False)
    event = Event("backup.restored", subject_label="database and evidence", body=body)
    AuditEvent.objects.append(event)
