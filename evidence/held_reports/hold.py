"""The file of a report comes in: by right, once its term is on record (R27).

Its way is that of evidence: sealed, checked in a confined process, kept by its digest,
scanned. Holding a file proves nothing and moves no verdict.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from controls.errors import Refused
from controls.grammar import count_of, size_in_words
from controls.history.clock import knowledge_now
from controls.models import Actor, AuditEvent, User
from controls.models.audit import about
from controls.reasons import refuse_long
from evidence.files.scan import ask_for_scan
from evidence.held_reports.who_may import require_keeper
from evidence.models import ArtifactVersion, ReportFile
from evidence.models.removals import RemovalState
from evidence.submissions.quotas import NoRoomLeft, TooManyFiles
from evidence.submissions.uploads import (
    Upload,
    lock_blobs,
    refuse_empty,
    refuse_removed,
    settle_all,
    were_brought,
)

MAX_AGREEMENT = 200  # characters
USUAL_TERM = (
    "This report is confidential to its provider. Show it only to people of this"
    " company who need it and to auditors it was released to. Whoever else gets a copy"
    " is written down here first: who, of which firm, why, and under which agreement."
)


def bring_report(
    version: ArtifactVersion,
    upload: Upload,
    *,
    agreement: str,
    term: str,
    confirmed: bool,
    by: Actor,
) -> None:
    """Send the bytes to the store, unless there is reason to refuse them.

    Call it before a transaction begins; `hold_report` calls it for what was not sent
    yet. Raises NotPermitted, Refused by field, TooManyFiles, NoRoomLeft.
    """
    require_keeper(version, by)
    refuse_without_right(agreement, term, confirmed)
    refuse_empty([upload])
    _refuse_held(version, upload)
    _refuse_beyond_day(upload, by)
    refuse_removed([upload])
    settle_all([upload])


def hold_report(
    version: ArtifactVersion,
    upload: Upload,
    *,
    agreement: str,
    term: str = USUAL_TERM,
    confirmed: bool,
    by: Actor,
) -> ReportFile:
    """Hold the file of a report, as `by` confirms that the agreement allows.

    `term` is what the agreement asks of whoever opens it, in own words. Raises what
    `bring_report` raises.
    """
    if not were_brought([upload]):
        bring_report(
            version, upload, agreement=agreement, term=term, confirmed=confirmed, by=by
        )
    return _record(version, upload, agreement.strip(), term.strip(), confirmed, by)


@transaction.atomic
def _record(
    version: ArtifactVersion,
    upload: Upload,
    agreement: str,
    term: str,
    confirmed: bool,
    by: Actor,
) -> ReportFile:
    ArtifactVersion.objects.select_for_update(of=("self",)).get(pk=version.pk)
    require_keeper(version, by)
    refuse_without_right(agreement, term, confirmed)
    # two files of one person at the edge of the day are counted one by one
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=by.pk)
    _refuse_beyond_day(upload, by)
    blob = lock_blobs([upload])[upload.stored.sha256]
    refuse_removed([upload])
    _refuse_held(version, upload)
    ask_for_scan(blob)
    held = ReportFile(
        artifact_version=version,
        blob=blob,
        held_by=by,
        name=upload.name,
        sha256=blob.sha256,
        agreement=agreement,
        term=term,
        flags=list(upload.checked.flags),
    )
    held.full_clean(exclude=["held_by", "known_from"])
    held.save(force_insert=True)
    AuditEvent.objects.append(
        about(
            held,
            "report-file.held",
            by=by,
            report=str(version.uuid),
            sha256=held.sha256,
            size=blob.size_bytes,
            agreement=agreement,
            flags=held.flags,
        )
    )
    return held


def refuse_without_right(agreement: str, term: str, confirmed: bool) -> None:
    """Raise Refused by field where it is not said by what right a file is held."""
    refuse_long(term, field="term")
    missing = {}
    if not agreement.strip():
        missing["agreement"] = "Name the agreement that allows it to be held."
    elif len(agreement.strip()) > MAX_AGREEMENT:
        missing["agreement"] = f"At most {MAX_AGREEMENT} characters."
    if not term.strip():
        missing["term"] = "Say what the agreement asks of whoever opens it."
    if not confirmed:
        missing["confirmed"] = (
            "A report is held only where the agreement with its provider allows it:"
            " read the term, and confirm that."
        )
    if missing:
        raise Refused(missing)


def _refuse_held(version: ArtifactVersion, upload: Upload) -> None:
    rows = ReportFile.objects.filter(sha256=upload.stored.sha256)
    if rows.filter(removals__state=RemovalState.APPROVED).exists():
        raise Refused(f"“{upload.name}” was removed here; it does not come back.")
    if rows.filter(artifact_version=version).exists():
        raise Refused(f"“{upload.name}” is held for this report already.")


def _refuse_beyond_day(upload: Upload, by: Actor) -> None:
    """Raise TooManyFiles or NoRoomLeft beyond what one person brings in a day (UTC):
    as much as one team brings of evidence (UP-12)."""
    midnight = (
        knowledge_now()
        .astimezone(dt.UTC)
        .replace(hour=0, minute=0, second=0, microsecond=0)
    )
    mine = ReportFile.objects.filter(held_by=by.pk, known_from__gte=midnight).order_by()
    size = mine.aggregate(bytes=Sum("blob__size_bytes"))["bytes"] or 0
    if mine.count() >= settings.TEAM_FILES_PER_DAY:
        limit = count_of(settings.TEAM_FILES_PER_DAY, "file")
        raise TooManyFiles(f"You may bring {limit} a day. Nothing was stored.")
    if size + upload.stored.size_bytes > settings.TEAM_BYTES_PER_DAY:
        most = size_in_words(settings.TEAM_BYTES_PER_DAY)
        raise NoRoomLeft(f"You may bring {most} a day. Nothing was stored.")
