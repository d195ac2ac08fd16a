"""Exports as jobs: asked for, made from one snapshot, cancelled, taken.

One file: the states of an export and who may take it are read together.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any, BinaryIO

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from controls.errors import NotPermitted, SrmError, TransitionNotAllowed
from controls.models import Actor, AuditEvent, System
from controls.models.audit import Event, about
from evidence.engagements.marks_then import refuse_marks_of_others
from evidence.engagements.scope import refuse_scope_of_others
from evidence.exports.disclosures import disclose_in_package
from evidence.exports.files import (
    WrittenFile,
    drop_file,
    drop_other_files,
    is_as_written,
    keep,
    kept_blob,
    open_kept,
    open_named,
    write_file,
)
from evidence.exports.formats import DEFAULT, FORMATS, format_of_kind
from evidence.exports.rows.scope import (
    ExportScope,
    NotWhole,
    ProcessEnded,
    is_complete,
    one_snapshot,
    refuse_empty,
    scope_of,
)
from evidence.files.download import OpenedFile
from evidence.jobs.heartbeat import Heartbeat, kept_alive
from evidence.jobs.kinds import (
    AttemptFailed,
    Backoff,
    CannotBeDone,
    JobKind,
    LeaseLost,
    MustWait,
)
from evidence.jobs.leases import LET_GO, Lease
from evidence.jobs.wake import wake
from evidence.jobs.work import work_on
from evidence.models import Export, ExportState, WindowClosing
from evidence.status.clock_parameters import Window
from evidence.status.control_status import now
from evidence.status.gather import Moment
from evidence.status.rules import RULES
from evidence.storage import StoreFull, StoreUnreachable
from evidence.storage.failpoints import failpoint

NO_SPACE = (
    "There is no space left for the files of exports; this one is made once there is."
    " Tell an administrator."
)
NOT_A_READER = (
    "It was stopped: who asked for it may no longer read this system, since the"
    " engagement or the role has ended."
)
KEPT = "This export was made when a window closed, and is kept."
WITHOUT_FILE = {
    ExportState.FAILED: "This export failed: there is no file. Ask for it again.",
    ExportState.CANCELLED: "This export was stopped: there is no file. Ask for it"
    " again.",
}
UNFINISHED = (ExportState.QUEUED, ExportState.RUNNING)
FOR_OFFICERS_AND_AUDITORS = (
    "What was kept at a closing is for the officers and the auditors of the engagement."
)
log = logging.getLogger(__name__)


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
    format_name: str = DEFAULT,
    window: Window | None = None,
    filters: Mapping[str, str] | None = None,
) -> Export:
    """Queue a file about `on`, in one of FORMATS; the same key gives the same export.

    Without `known_at` the export knows what is recorded now, and stores that instant.
    `filters` are those of the page of controls. Raises Refused for a day or an instant
    that has not come, or before the system was recorded, for marks of an audit that
    `by` does not read, and where no control is left.
    """
    if key:
        existing = Export.objects.filter(
            idempotency_key=f"{by.pk}:{key}", requested_by=by
        ).first()
        if existing:
            return existing
    refuse_marks_of_others(system, (filters or {}).get("mark", ""), by=by)
    refuse_scope_of_others(system, (filters or {}).get("engagement", ""), by=by)
    export, event = queue_export(
        system,
        by=by,
        on=on,
        known_at=known_at,
        key=key,
        format_name=format_name,
        window=window,
        filters=filters,
    )
    AuditEvent.objects.append(event)
    return export


def queue_export(
    system: System,
    *,
    by: Actor,
    on: dt.date,
    known_at: dt.datetime | None,
    key: str,
    format_name: str,
    window: Window | None,
    filters: Mapping[str, str] | None = None,
    closing: WindowClosing | None = None,
) -> tuple[Export, Event]:
    """A queued export, and the event that the caller writes last in its transaction.

    One of a `closing` is kept. Raises as `request_export`.
    """
    scope = scope_of(system, on, known_at, window, filters)
    refuse_empty(scope)
    export = Export(
        system=system,
        requested_by=by,
        kind=FORMATS[format_name].kind,
        on=on,
        known_at=scope.known_at,
        window_start=scope.window[0],
        window_end=scope.window[1],
        filters=scope.filters,
        rules=RULES,
        closing=closing,
    )
    export.idempotency_key = f"{by.pk}:{key}" if key else str(export.uuid)
    export.save(force_insert=True)
    wake(make_export, export.pk)
    event_body = {"on": str(on), "known_at": export.known_at.isoformat()}
    event_body |= {"format": format_name, **scope.filters}
    if closing is not None:
        event_body["closing"] = str(closing.uuid)
    return export, about(export, "export.requested", by=by, **event_body)


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

    def require_going_on(self, job: Export) -> None:
        """Raise CannotBeDone once the requester may not read the system any more."""
        _require_access(job)

    def perform(self, lease: Lease[Export]) -> None:
        """Read one snapshot, write the file, record it; else leave no file.

        That of a closing goes to the evidence store, before a row names it.
        """
        _require_access(lease.job)
        ending = format_of_kind(lease.job.kind).ending
        try:
            with kept_alive(lease) as heartbeat:
                reports: list[int] | None = [] if not lease.job.closing_id else None
                write = partial(_write, lease, heartbeat, reports)
                written = write_file(lease.job, lease.token, ending, write)
                if lease.job.closing_id:
                    keep(written)
        except StoreFull as full:
            raise MustWait(NO_SPACE) from full
        except StoreUnreachable as away:
            raise MustWait(" ".join(away.messages)) from away
        except NotWhole as refusal:
            raise CannotBeDone(" ".join(refusal.messages)) from refusal
        except ProcessEnded as failure:
            raise AttemptFailed(" ".join(failure.messages)) from failure
        try:
            _finish(lease, written, reports)
        except (
            LeaseLost,
            CannotBeDone,
        ):  # after any other fault the outcome may yet be recorded
            drop_file(written.name)
            raise
        drop_other_files(lease.job)
        if lease.job.closing_id:
            drop_file(written.name)  # its bytes lie in the evidence store

    def event_of_giving_up(self, job: Export) -> Event:
        """Recorded like every other end of an export."""
        return about(job, "export.failed", by=None, sha256="", reason=job.failure)


EXPORTS = ExportJob()


def _require_access(export: Export) -> None:
    """Raise CannotBeDone unless the requester may read the system at this moment.

    One that is kept at a closing is made for the system, whoever leaves meanwhile.
    """
    if export.closing_id:
        return
    requester = Actor.objects.get(pk=export.requested_by_id)
    visible = System.objects.visible_to(requester)
    if not visible.filter(pk=export.system_id).exists():
        raise CannotBeDone(NOT_A_READER)


def _write(
    lease: Lease[Export],
    heartbeat: Heartbeat,
    reports: list[int] | None,
    file: BinaryIO,
) -> None:
    """Write the file from one snapshot that cannot write; report how far it is.

    Which files of held reports lie in it goes into `reports`.
    """
    export, progress = lease.job, {"done_rows": 0, "total_rows": 0}

    def report_progress(done: int, total: int) -> None:
        nonlocal progress
        progress = {"done_rows": done, "total_rows": total}
        heartbeat.report(**progress)

    scope = ExportScope(
        export.system,
        Moment(on=export.on, known_at=export.known_at),
        (export.window_start, export.window_end),
        export.filters,
        export.requested_by,
        reports=reports,
    )
    if not is_complete(scope):
        raise MustWait("Waiting until what was begun before that instant is recorded.")
    lease.renew()
    with one_snapshot():
        failpoint("export-reading")
        format_of_kind(export.kind).write(scope, file, report_progress)
    lease.renew(**progress)


@transaction.atomic
def _finish(
    lease: Lease[Export], written: WrittenFile, reports: list[int] | None
) -> None:
    _require_access(lease.job)
    kept = None
    if lease.job.closing_id:
        kept = kept_blob(written, format_of_kind(lease.job.kind).media_type)
    lease.finish(
        state=ExportState.DONE,
        finished_at=now(),
        file_name="" if kept else written.name,
        blob=kept,
        sha256=written.sha256,
        size_bytes=written.size_bytes,
        rules=RULES,  # an upgrade may lie between asking and making
        reports=reports or None,
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
    if stored.closing_id:
        raise TransitionNotAllowed(KEPT)
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
        file = open_kept(export.blob) if export.blob else open_named(export.file_name)
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
    if export.state in WITHOUT_FILE:
        raise TransitionNotAllowed(WITHOUT_FILE[ExportState(export.state)])
    expires_at = export.expires_at
    over = expires_at is not None and expires_at <= now()
    if over or export.state == ExportState.EXPIRED:
        raise NoLongerKept("This export has expired. Ask for it again.")
    if export.state != ExportState.DONE:
        raise TransitionNotAllowed("The export is not finished.")


def require_owner(export: Export, by: Actor) -> None:
    """Raise NotPermitted for anybody but who asked for the export (AC-11).

    One that was kept at a closing is for the officers of its system and the auditors of
    its engagement, whoever confirmed it.
    """
    if export.closing_id:
        if not Export.objects.kept_for(by).filter(pk=export.pk).exists():
            raise NotPermitted(FOR_OFFICERS_AND_AUDITORS)
        return
    if export.requested_by_id != by.pk:
        raise NotPermitted(
            "The file of an export is for who asked for it. Ask for one of your own."
        )


def opened_for(export: Export, *, by: Actor) -> OpenedFile:
    """The finished file for its owner; that it was taken is recorded first, of files of
    held reports in it too. Raises what `require_owner`, `open_file` and
    `disclose_in_package` raise."""
    require_owner(export, by)
    file = open_file(export)
    try:
        with transaction.atomic():
            disclose_in_package(export, by=by)
            AuditEvent.objects.append(about(export, "export.downloaded", by=by))
    except BaseException:
        file.close()
        raise
    made = format_of_kind(export.kind)
    name = made.file_name(export.system.slug, export.on)
    return OpenedFile(file, name, made.media_type)


# The name is fixed: messages of the version before name it so.
@shared_task(name="evidence.tasks.make_export", ignore_result=True, acks_late=True)
def make_export(export_pk: int) -> None:
    """Make the file of one export; may run twice."""
    work_on(EXPORTS, export_pk)
