"""Uploaded bytes: checked, named, and in the store before a row names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import connection

from controls.errors import Refused
from controls.models import System, Team
from evidence.files.checks import Checked, check
from evidence.files.names import clean_name
from evidence.files.scan import ask_for_scan, first_state
from evidence.models import Arrival, Blob
from evidence.models.blobs import PurgedFor
from evidence.storage import Incoming, StoredBytes, open_store
from evidence.storage.failpoints import failpoint
from evidence.submissions.quotas import refuse_beyond

# Of digests those whose bytes are gone from the store, or from a system, and why.
GONE = """
SELECT sha256, purged_for FROM evidence_blob
 WHERE sha256 = ANY(%s) AND (purged_at IS NOT NULL OR %s::bigint = ANY(removed_in))
"""


@dataclass(frozen=True)
class Upload:
    """Bytes in the store, or sealed on their way in, under the name the user gave."""

    name: str
    stored: StoredBytes
    checked: Checked
    # None: they already lie under their digest
    incoming: Incoming | None = None
    # the day of its team has them already, since they were previewed
    counted: bool = False

    @property
    def kept(self) -> bool:
        """Whether the bytes were given their final name in the store."""
        return self.incoming is None or self.incoming.kept

    def settle(self) -> None:
        """Make sure that the bytes lie in the store before a row names them.

        Speaks to the store: call it outside of transactions, after `Arrival` says that
        the bytes are expected. Raises Refused when they were there, are no longer, and
        were not sent just now.
        """
        if self.incoming is not None and not self.incoming.kept:
            self.incoming.keep()
        elif open_store().has(self.stored.sha256):
            return
        elif self.incoming is not None:
            self.incoming.keep_again()
        else:
            raise Refused(f"“{self.name}” is no longer there. Upload it again.")


def store(name: str, chunks: Iterable[bytes]) -> Upload:
    """Stream one file into the store once its content is checked.

    Raises Refused when it is empty or not what may be uploaded, BlobTooLarge.
    """
    incoming = open_store().begin(limit=settings.MAX_UPLOAD_BYTES)
    try:
        for chunk in chunks:
            incoming.write(chunk)
        upload = checked_upload(name, incoming)
        refuse_empty([upload])
        upload.settle()
        return replace(upload, incoming=None)
    finally:
        incoming.close()


def checked_upload(name: str, incoming: Incoming) -> Upload:
    """Sealed bytes under a name made safe to show, if they are what it says.

    Raises Refused, naming the file. An empty file is left for `refuse_empty`.
    """
    name, stored = clean_name(name), incoming.seal()
    if stored.size_bytes == 0:
        return Upload(name, stored, Checked("text/plain"), incoming)
    with incoming.reread() as body:
        checked = check(body, name, meanwhile=incoming.make_durable)
        return Upload(name, stored, checked, incoming)


def refuse_empty(uploads: Sequence[Upload]) -> None:
    """Raise Refused where nothing is attached, or a file without a byte."""
    if not uploads:
        raise Refused("Attach at least one file.")
    for upload in uploads:
        if upload.stored.size_bytes == 0:
            raise Refused(f"“{upload.name}” is empty: nothing was stored.")


def keep_all(uploads: Sequence[Upload], team: Team) -> None:
    """Make sure that a team's bytes lie in the store, before the transaction that
    names them.

    The store may be slow, and a transaction holds what others wait for. From then on
    no sweep takes them for unreferenced. Nothing is sent where the files alone are
    reason to refuse. Raises Refused for one that is attached twice, was removed as a
    spill or is gone, and what `refuse_beyond` raises.
    """
    refuse_twice(uploads)
    refuse_beyond(team, uploads)
    refuse_removed(uploads)
    settle_all(uploads)


def settle_all(uploads: Iterable[Upload]) -> None:
    """As `Upload.settle`, of several: expected first, so that no sweep interferes."""
    several = list(uploads)
    Arrival.objects.expect(upload.stored.sha256 for upload in several)
    for upload in several:
        upload.settle()


def were_brought(uploads: Sequence[Upload]) -> bool:
    """Whether this request has sent them all to the store: `keep_all` is done."""
    return bool(uploads) and all(
        upload.incoming is not None and upload.incoming.kept for upload in uploads
    )


def refuse_removed(uploads: Sequence[Upload], system: System | None = None) -> None:
    """Raise Refused for bytes removed as a spill or purged: they do not come back.

    From the store, or from `system` while records of others rest on them.
    """
    digests = [upload.stored.sha256 for upload in uploads]
    with connection.cursor() as cursor:
        cursor.execute(GONE, [digests, system.pk if system else None])
        gone: dict[str, str] = dict(cursor.fetchall())
    for upload in uploads:
        if upload.stored.sha256 in gone:
            raise _gone_for_good(upload, gone[upload.stored.sha256])


def refuse_twice(uploads: Sequence[Upload]) -> None:
    """Raise Refused where two files are of the same bytes."""
    if len({upload.stored.sha256 for upload in uploads}) < len(uploads):
        raise Refused("The same file is attached twice.")


def _gone_for_good(upload: Upload, purged_for: str) -> Refused:
    if purged_for == PurgedFor.RETENTION:
        return Refused(
            f"The same bytes as “{upload.name}” were kept until the end of their"
            " retention and purged: they do not come back. Add what tells the new file"
            " apart, such as its date."
        )
    reason = "was removed as a spill; it may not be uploaded again."
    return Refused(f"“{upload.name}” {reason}")


def blobs_of(uploads: Sequence[Upload], system: System) -> dict[str, Blob]:
    """The locked rows of bytes for a record of `system`, by sha256.

    The same bytes are one row. `keep_all` has sent them and keeps sweeps away, so that
    no row is ever without its bytes and the store is not spoken to while rows are
    locked. Raises Refused for bytes that were removed as a spill: they do not come
    back.
    """
    blobs = lock_blobs(uploads)
    for upload in uploads:
        blob = blobs[upload.stored.sha256]
        if blob.is_removed_in(system.pk):
            raise _gone_for_good(upload, blob.purged_for)
    for upload in uploads:
        ask_for_scan(blobs[upload.stored.sha256])
    return blobs


def lock_blobs(uploads: Iterable[Upload]) -> dict[str, Blob]:
    """Make and lock the rows of bytes, in the order of their digests.

    So two uploads of the same files never wait for each other in a circle. Call it
    with all that a transaction will name before it calls `blobs_of` more than once.
    """
    by_digest = {upload.stored.sha256: upload for upload in uploads}
    digests = sorted(by_digest)
    failpoint("before-insert")
    rows = [_row_of(by_digest[digest]) for digest in digests]
    blobs = Blob.objects.made_or_locked(rows)
    failpoint("after-insert")
    return blobs


def _row_of(upload: Upload) -> Blob:
    return Blob(
        sha256=upload.stored.sha256,
        size_bytes=upload.stored.size_bytes,
        media_type=upload.checked.media_type,
        scan_state=first_state(),
    )
