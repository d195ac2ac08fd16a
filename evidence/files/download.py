"""Bytes of evidence opened for somebody, recorded first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from controls.errors import SrmError, TransitionNotAllowed
from controls.models import Actor, AuditEvent
from controls.models.audit import about
from evidence.files.clearance import reason_withheld
from evidence.files.names import clean_name
from evidence.files.who_may import require_opener
from evidence.models import EvidenceFile
from evidence.storage import open_store


class NotInStore(SrmError):
    """The record is here and its bytes are not."""

    status_code = 410


def record_opening(file: EvidenceFile, verb: str, *, by: Actor) -> None:
    """Who opened what is recorded before the bytes leave."""
    event_body = {"file": file.name, "sha256": file.blob.sha256}
    AuditEvent.objects.append(about(file.revision.evidence, verb, by=by, **event_body))


@dataclass
class OpenedFile:
    """Bytes for reading with all that their answer says of them."""

    body: BinaryIO
    name: str
    media_type: str
    size_bytes: int | None = None


def opened_for(file: EvidenceFile, *, by: Actor) -> OpenedFile:
    """The bytes of a file; who took them is recorded first.

    Raises NotPermitted where it is restricted, TransitionNotAllowed while it is
    withheld (scan, flags, removal) and NotInStore when its bytes are gone.
    """
    require_opener(file, by)
    withheld = reason_withheld(by, file)
    if withheld:
        raise TransitionNotAllowed(withheld)
    try:
        body = open_store().open(file.blob.sha256)
    except FileNotFoundError as missing:
        sentence = "The record is here, but its bytes are not in the store."
        raise NotInStore(sentence) from missing
    record_opening(file, "evidence.downloaded", by=by)
    return OpenedFile(
        body, clean_name(file.name), file.blob.media_type, file.blob.size_bytes
    )
