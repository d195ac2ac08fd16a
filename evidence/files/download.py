"""The only door through which bytes leave: attached, never run, recorded first."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import FileResponse
from django.utils.cache import patch_cache_control

from controls.errors import SrmError, TransitionNotAllowed
from controls.models import AuditEvent
from controls.models.audit import about
from evidence.files.clearance import withheld_from
from evidence.models import EvidenceFile
from evidence.storage import open_store
from evidence.submissions.submit import clean_name


class NotInStore(SrmError):
    """The record is here and its bytes are not."""

    status_code = 410


def record_opening(file: EvidenceFile, verb: str, *, by: Any) -> None:
    """Who opened what is recorded before the bytes leave."""
    said = {"file": file.name, "sha256": file.blob.sha256}
    AuditEvent.objects.append(about(file.revision.evidence, verb, by=by, **said))


def opened_for(file: EvidenceFile, *, by: Any) -> FileResponse:
    """The bytes of a file as an attachment that no browser runs.

    Raises TransitionNotAllowed while it is withheld (scan, flags, removal) and
    NotInStore when its bytes are gone.
    """
    withheld = withheld_from(by, file)
    if withheld:
        raise TransitionNotAllowed(withheld)
    try:
        body = open_store().open(file.blob.sha256)
    except FileNotFoundError as missing:
        sentence = "The record is here, but its bytes are not in the store."
        raise NotInStore(sentence) from missing
    record_opening(file, "evidence.downloaded", by=by)
    return _attachment(body, file)


def _attachment(body: Any, file: EvidenceFile) -> FileResponse:
    name = clean_name(file.name)
    plain = name.encode("ascii", "replace").decode().replace('"', "'")
    response = FileResponse(body, content_type=file.blob.media_type)
    response["Content-Disposition"] = (
        f'attachment; filename="{plain.replace("?", "_")}";'
        f" filename*=UTF-8''{quote(name, safe='')}"
    )
    response["Content-Length"] = str(file.blob.size_bytes)
    sealed: FileResponse = seal(response)
    return sealed


def seal(response: Any) -> Any:
    """Nothing of the answer runs, is guessed at, kept or used by other sites."""
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    patch_cache_control(response, private=True, no_store=True)
    return response
