"""Exports as jobs: asked for, made from one snapshot, cancelled, taken."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from celery import shared_task
from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from controls.errors import NotPermitted, Refused, SrmError, TransitionNotAllowed
from controls.history.clock import wait_for_older_writers
from controls.models import Actor, AuditEvent, System
from controls.models.audit import Event, about
from evidence.exports.files import (
    WrittenFile,
    drop_file,
    drop_other_files,
    is_as_written,
    open_named,
    write_file,
)
from evidence.exports.status_csv import EXCEL_MARK, lines
from evidence.exports.status_rows import documents
from evidence.files.download import OpenedFile
from evidence.jobs.heartbeat import kept_alive
from evidence.jobs.kinds import Backoff, CannotBeDone, JobKind, LeaseLost, MustWait
from evidence.jobs.leases import LET_GO, Lease
from evidence.jobs.wake import wake
from evidence.jobs.work import work_on
from evidence.models import Export, ExportState
from evidence.status.control_status import now, refuse_unrecorded, window_of
from evidence.status.gather import Moment
from evidence.status.rules import RULES
from evidence.storage import StoreFull
from evidence.storage.failpoints import failpoint

NO_SPACE = (
    "There is no space left for the files of exports; this one is made once there is."
    " Tell an administrator."
)
ENDING, MEDIA_TYPE = ".csv", "text/csv; charset=utf-8"
UNFINISHED = (ExportState.QUEUED, ExportState.RUNNING)
log = logging.getLogger(__name__)
PROGRESS_ROWS = 100  # rows of the file between two reports of progress


class FileDamaged(SrmError):
    """The file of an export is gone, or is not what was written; nothing is served."""

    status_code = 410


class NoLongerKept(SrmError):
    """The file of this export was deleted, by its owner or since its days are over."""

    status_code = 410


@transaction.atomic
def request_export(
    system: System,
    *,
    by: Actor,
    on: dt.date,
    known_at: dt.datetime | None = None,
    key: str = "",
) -> Export:
    """Queue a control status CSV about `on`; the same key gives the same export.

    Without `known_at` the export knows what is recorded now, and stores that instant.
    """
    if key:
        existing = Export.objects.filter(
            idempotency_key=f"{by.pk}:{key}", requested_by=by
        ).first()
        if existing:
            return existing
    instant = known_at or now()
    if instant > now():
        raise Refused({"known_at": "That instant has not come yet."})
    refuse_unrecorded(system, known_at)
    start, end = window_of(system, known_at)
    export = Export(
        system=system,
        requested_by=by,
        on=on,
        known_at=instant,
        window_start=start,
        window_end=end,
        rules=RULES,
    )
    export.idempotency_key = f"{by.pk}:{key}" if key else str(export.uuid)
    export.save(force_insert=True)
    wake(make_export, export.pk)
    AuditEvent.objects.append(
        about(
            export, "export.requested", by=by, on=str(on), known_at=instant.isoformat()
        )
    )
    return export


class ExportJob(JobKind[Export]):
    """Makes the file once, with the requester's rights at start and at delivery."""

    lease = dt.timedelta(seconds=settings.EXPORT_LEASE_SECONDS)
    max_attempts = 3
    backoff = Backoff(dt.timedelta(seconds=30), dt.timedelta(minutes=5))
    patience_backoff = Backoff(dt.timedelta(seconds=30), dt.timedelta(minutes=10))
    max_wait = dt.timedelta(days=1)
    while_leased = {"state": ExportState.RUNNING}
    while_waiting = {"state": ExportState.QUEUED}
    after_failure = {"state": ExportState.QUEUED}
    when_given_up = {"state": ExportState.FAILED, "finished_at": Now()}

    @property
    def task(self) -> Any:
        """See `make_export`."""
        return make_export

    def unfinished(self) -> QuerySet[Export]:
        """Queued and running ones."""
        return Export.objects.filter(state__in=UNFINISHED).select_related(
            "system", "requested_by"
        )

    def perform(self, lease: Lease[Export]) -> None:
        """Read one snapshot, write the file, record it; else leave no file."""
        _require_access(lease.job)
        try:
            with kept_alive(lease):
                written = write_file(
                    lease.job, lease.token, ENDING, status_lines(lease)
                )
        except StoreFull as full:
            raise MustWait(NO_SPACE) from full
        try:
            _finish(lease, written)
        except (
            LeaseLost,
            CannotBeDone,
        ):  # after any other fault the outcome may yet be recorded
            drop_file(written.name)
            raise
        drop_other_files(lease.job)

    def event_of_giving_up(self, job: Export) -> Event:
        """Recorded like every other end of an export."""
        return about(job, "export.failed", by=None, sha256="", reason=job.failure)


EXPORTS = ExportJob()


def _require_access(export: Export) -> None:
    """Raise CannotBeDone unless the requester may read the system at this moment."""
    requester = Actor.objects.get(pk=export.requested_by_id)
    visible = System.objects.visible_to(requester)
    if not visible.filter(pk=export.system_id).exists():
        raise CannotBeDone("The requester may no longer read this system.")


def status_lines(lease: Lease[Export]) -> Iterator[bytes]:
    """The lines of the file, read in one snapshot that cannot write."""
    export = lease.job
    moment = Moment(on=export.on, known_at=export.known_at)
    marks = "demo / imported history" if export.system.demo else ""
    if not wait_for_older_writers(export.known_at):
        raise MustWait("Waiting until what was begun before that instant is recorded.")
    lease.renew()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        failpoint("export-reading")
        window = (export.window_start, export.window_end)
        # as bytes: what they were made from is let go on the way
        made = list(lines(documents(export.system, moment, window), marks=marks))
    yield EXCEL_MARK.encode()
    yield from with_progress(lease, made)


def with_progress(lease: Lease[Export], made: Sequence[bytes]) -> Iterator[bytes]:
    """The heading and the rows; how far it is is written, and renews the lease too."""
    total = len(made) - 1  # without the heading
    for number, line in enumerate(made):
        if number % PROGRESS_ROWS == 0:
            lease.renew(done_rows=min(number, total), total_rows=total)
        yield line
    lease.renew(done_rows=total, total_rows=total)


@transaction.atomic
def _finish(lease: Lease[Export], written: WrittenFile) -> None:
    _require_access(lease.job)
    lease.finish(
        state=ExportState.DONE,
        finished_at=now(),
        file_name=written.name,
        sha256=written.sha256,
        size_bytes=written.size_bytes,
        rules=RULES,  # an upgrade may lie between asking and making
    )
    AuditEvent.objects.append(
        about(lease.job, "export.done", by=None, sha256=written.sha256, rules=RULES)
    )


@transaction.atomic
def cancel(export: Export, *, by: Actor) -> None:
    """Stop an export that is not finished, and whoever works on it."""
    stored = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    if stored.state not in UNFINISHED:
        raise TransitionNotAllowed("The export is already finished.")
    Export.objects.filter(pk=stored.pk).update(
        **LET_GO | {"state": ExportState.CANCELLED, "finished_at": now()}
    )
    AuditEvent.objects.append(about(stored, "export.cancelled", by=by))


def open_file(export: Export) -> BinaryIO:
    """The finished file for reading, once its bytes are found to be the right ones.

    Raises TransitionNotAllowed where there is none to come or yet, NoLongerKept once
    it expired or was deleted, FileDamaged when it is not what was written.
    """
    _require_kept(export)
    sentence = "The file of this export is {what}. Ask for the export again."
    try:
        file = open_named(export.file_name)
    except FileNotFoundError as missing:
        raise FileDamaged(sentence.format(what="gone")) from missing
    if not is_as_written(file, export.sha256):
        file.close()
        log.error("The file of export %s has other bytes than written", export.uuid)
        raise FileDamaged(sentence.format(what="damaged"))
    return file


def _require_kept(export: Export) -> None:
    if export.state == ExportState.DELETED:
        raise NoLongerKept(
            "The file of this export was deleted. Ask for the export again."
        )
    expires_at = export.expires_at
    over = expires_at is not None and expires_at <= now()
    if over or export.state == ExportState.EXPIRED:
        raise NoLongerKept("This export has expired. Ask for it again.")
    if export.state != ExportState.DONE:
        raise TransitionNotAllowed("The export is not finished.")


def require_owner(export: Export, by: Actor) -> None:
    """Raise NotPermitted for anybody but who asked for the export (AC-11)."""
    if export.requested_by_id != by.pk:
        raise NotPermitted(
            "The file of an export is for who asked for it. Ask for one of your own."
        )


def opened_for(export: Export, *, by: Actor) -> OpenedFile:
    """The finished file for its owner; that it was taken is recorded first."""
    require_owner(export, by)
    file = open_file(export)
    AuditEvent.objects.append(about(export, "export.downloaded", by=by))
    name = f"{export.system.slug}-control-status-{export.on}{ENDING}"
    return OpenedFile(file, name, MEDIA_TYPE)


# The name is fixed: messages of the version before name it so.
@shared_task(name="evidence.tasks.make_export", ignore_result=True, acks_late=True)
def make_export(export_pk: int) -> None:
    """Make the file of one export; may run twice."""
    work_on(EXPORTS, export_pk)
