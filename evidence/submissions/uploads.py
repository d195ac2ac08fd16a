"""Uploaded bytes: checked, named, and in the store before a row names them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.conf import settings

from controls.errors import Refused
from evidence.files.checks import Checked, check
from evidence.files.names import clean_name
from evidence.files.scan import ask_for_scan, first_state
from evidence.models import Blob
from evidence.storage import Incoming, StoredBytes, open_store
from evidence.storage.failpoints import failpoint


@dataclass(frozen=True)
class Upload:
    """Bytes in the store, or sealed on their way in, under the name the user gave."""

    name: str
    stored: StoredBytes
    checked: Checked
    # None: they already lie under their digest
    incoming: Incoming | None = None

    def settle(self) -> None:
        """Make sure that the bytes lie in the store before a row names them.

        Raises Refused when they were there and are no longer.
        """
        if self.incoming is not None:
            self.incoming.keep()
        elif not open_store().has(self.stored.sha256):
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
        return Upload(name, stored, check(body, name), incoming)


def refuse_empty(uploads: Sequence[Upload]) -> None:
    """Raise Refused where nothing is attached, or a file without a byte."""
    if not uploads:
        raise Refused("Attach at least one file.")
    for upload in uploads:
        if upload.stored.size_bytes == 0:
            raise Refused(f"“{upload.name}” is empty: nothing was stored.")


def blob_of(upload: Upload) -> Blob:
    """The row of the bytes, locked; the same bytes twice are one row.

    The bytes are settled before the transaction ends, so no row is ever without them;
    and after the row is made, so no sweep takes them for unreferenced meanwhile.
    Raises Refused for bytes that were removed as a spill: they do not come back.
    """
    failpoint("before-insert")
    row = Blob(
        sha256=upload.stored.sha256,
        size_bytes=upload.stored.size_bytes,
        media_type=upload.checked.media_type,
        scan_state=first_state(),
    )
    Blob.objects.bulk_create([row], ignore_conflicts=True)
    failpoint("after-insert")
    blob = Blob.objects.select_for_update(no_key=True).get(sha256=row.sha256)
    if blob.purged_at:
        reason = "was removed as a spill; it may not be uploaded again."
        raise Refused(f"“{upload.name}” {reason}")
    upload.settle()
    ask_for_scan(blob)
    return blob
