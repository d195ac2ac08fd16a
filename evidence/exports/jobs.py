"""Exports as jobs: the row is the truth, the broker only wakes a worker."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from celery import shared_task
from django.db import connection, transaction
from django.db.models import Q

from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.history.clock import wait_for_older_writers
from controls.models import Actor, AuditEvent, System
from controls.models.audit import about
from evidence.exports.status_csv import lines
from evidence.exports.status_rows import documents
from evidence.files.download import OpenedFile
from evidence.jobs import wake as broker
from evidence.models import Export, ExportState
from evidence.status.control_status import now, window_of
from evidence.status.gather import Moment
from evidence.storage import work_folder

LEASE = dt.timedelta(seconds=90)
MAX_ATTEMPTS = 3


def folder() -> Path:
    """Where export files lie."""
    return work_folder("exports")


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
    start, end = window_of(system, known_at)
    export = Export(
        system=system,
        requested_by=by,
        on=on,
        known_at=instant,
        window_start=start,
        window_end=end,
    )
    export.idempotency_key = f"{by.pk}:{key}" if key else str(export.uuid)
    export.save(force_insert=True)
    wake(export)
    AuditEvent.objects.append(
        about(
            export, "export.requested", by=by, on=str(on), known_at=instant.isoformat()
        )
    )
    return export


def wake(export: Export) -> None:
    """Tell a worker after commit; when the broker is down the sweep finds the row."""

    broker.wake(make_export, export.pk)


def sweep() -> int:
    """Wake what nobody works on; returns how many. Called every 30 s by beat."""
    waiting = Export.objects.filter(
        Q(state=ExportState.QUEUED)
        | Q(state=ExportState.RUNNING, leased_until__lt=now())
    ).order_by("pk")
    for export in waiting[:50]:
        wake(export)
    return len(waiting[:50])


def run(export_pk: int) -> None:
    """Make the file, once: take the lease, read one snapshot, write, record.

    Runs with the requester's rights at start and at delivery; a second worker that
    finds the lease taken does nothing.
    """
    export = _lease(export_pk)
    if export is None:
        return
    try:
        _require_access(export)
        path, digest, size = _write(export)
    except NotPermitted as refusal:
        _finish(export, ExportState.FAILED, failure=" ".join(refusal.messages))
        return
    _finish(
        export,
        ExportState.DONE,
        file_name=path.name,
        sha256=digest,
        size_bytes=size,
    )


@transaction.atomic
def _lease(export_pk: int) -> Export | None:
    export = (
        Export.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("system", "requested_by")
        .filter(pk=export_pk)
        .first()
    )
    if export is None or export.state not in {ExportState.QUEUED, ExportState.RUNNING}:
        return None
    instant = now()
    if export.leased_until and export.leased_until > instant:
        return None
    if export.attempts >= MAX_ATTEMPTS:
        export.state, export.failure = ExportState.FAILED, "Gave up after three tries."
        export.finished_at = instant
        export.save(update_fields=["state", "failure", "finished_at"])
        return None
    export.state, export.leased_until = ExportState.RUNNING, instant + LEASE
    export.attempts += 1
    export.save(update_fields=["state", "leased_until", "attempts"])
    return export


def _require_access(export: Export) -> None:
    visible = System.objects.visible_to(export.requested_by)
    if not visible.filter(pk=export.system_id).exists():
        raise NotPermitted("The requester may no longer read this system.")


def _write(export: Export) -> tuple[Path, str, int]:
    """The file under its final name, written whole or not at all."""
    target = folder() / f"{export.uuid}.csv"
    partial = target.with_suffix(".partial")
    digest, size = hashlib.sha256(), 0
    with partial.open("wb") as file:
        for line in status_lines(export):
            digest.update(line)
            size += len(line)
            file.write(line)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(target)
    return target, digest.hexdigest(), size


def status_lines(export: Export) -> Iterator[bytes]:
    """The lines of the file, read in one snapshot that cannot write."""
    moment = Moment(on=export.on, known_at=export.known_at)
    marks = "demo / imported history" if export.system.demo else ""
    if not wait_for_older_writers(export.known_at):
        raise NotPermitted("Something begun before that instant is not finished yet.")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        rows = list(
            documents(export.system, moment, (export.window_start, export.window_end))
        )
    Export.objects.filter(pk=export.pk).update(total_rows=len(rows))
    for number, line in enumerate(lines(rows, marks=marks)):
        if number % 100 == 0:
            _report_progress(export, number)
        yield line
    _report_progress(export, len(rows))


def _report_progress(export: Export, done: int) -> None:
    """Write progress, renew the lease, and stop when somebody cancelled."""
    running = Export.objects.filter(pk=export.pk, state=ExportState.RUNNING)
    if not running.update(done_rows=done, leased_until=now() + LEASE):
        raise NotPermitted("The export was cancelled.")


@transaction.atomic
def _finish(export: Export, state: ExportState, **changes: Any) -> None:
    stored = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    if stored.state != ExportState.RUNNING:
        return
    for name, value in {
        "state": state,
        "leased_until": None,
        "finished_at": now(),
        **changes,
    }.items():
        setattr(stored, name, value)
    stored.save(update_fields=["state", "leased_until", "finished_at", *changes])
    AuditEvent.objects.append(
        about(stored, f"export.{state.value}", by=None, sha256=stored.sha256)
    )


@transaction.atomic
def cancel(export: Export, *, by: Actor) -> None:
    """Stop an export that is not finished."""
    stored = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
    if stored.state not in {ExportState.QUEUED, ExportState.RUNNING}:
        raise TransitionNotAllowed("The export is already finished.")
    stored.state, stored.finished_at = ExportState.CANCELLED, now()
    stored.save(update_fields=["state", "finished_at"])
    AuditEvent.objects.append(about(stored, "export.cancelled", by=by))


def open_file(export: Export) -> BinaryIO:
    """The finished file for reading. Raises TransitionNotAllowed before that."""
    if export.state != ExportState.DONE:
        raise TransitionNotAllowed("The export is not finished.")
    return (folder() / export.file_name).open("rb")


def opened_for(export: Export, *, by: Actor) -> OpenedFile:
    """The finished file; who took it is recorded first."""
    file = open_file(export)
    AuditEvent.objects.append(about(export, "export.downloaded", by=by))
    name = f"{export.system.slug}-control-status-{export.on}.csv"
    return OpenedFile(file, name, "text/csv; charset=utf-8")


# The name is fixed: messages of the version before name it so.
@shared_task(name="evidence.tasks.make_export", ignore_result=True, acks_late=True)
def make_export(export_pk: int) -> None:
    """Make the file of one export; may run twice."""
    run(export_pk)
