"""How files of exports end: expired, deleted by their owner, or with a role (AC-11).

Those that were kept at a closing do not.

The row goes much later; what was asked, made and taken stays in the audit log.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from controls.errors import TransitionNotAllowed
from controls.models import Actor, AuditEvent, System
from controls.models.audit import about
from evidence.exports.files import drop_file
from evidence.exports.jobs import KEPT, NOT_A_READER, UNFINISHED, require_owner
from evidence.jobs.leases import LET_GO
from evidence.models import Export, ExportState
from evidence.status.control_status import now

# No file, and nothing left to do.
OVER = (
    ExportState.FAILED,
    ExportState.CANCELLED,
    ExportState.EXPIRED,
    ExportState.DELETED,
)
MAX_STOPPED_SHOWN = 5
MAX_FORGOTTEN = 1_000  # rows of one night


def delete_export(export: Export, *, by: Actor) -> None:
    """Delete the file of a finished export; the record stays.

    Raises NotPermitted for anybody but its owner, TransitionNotAllowed where there is
    no file or it is kept.
    """
    require_owner(export, by)
    with transaction.atomic():
        stored = Export.objects.select_for_update(of=("self",)).get(pk=export.pk)
        if stored.closing_id:
            raise TransitionNotAllowed(KEPT)
        if stored.state in UNFINISHED:
            raise TransitionNotAllowed("The export is not finished: cancel it.")
        if stored.state != ExportState.DONE:
            raise TransitionNotAllowed("This export has no file.")
        _without_file(stored, ExportState.DELETED)
        AuditEvent.objects.append(about(stored, "export.deleted", by=by))


def end_exports(instant: dt.datetime) -> int:
    """End what expired by `instant`, and what its owner may no longer read.

    Of the latter unfinished ones are stopped too. Returns how many ended; each is one
    transaction, and running twice at once does nothing twice.
    """
    before = instant - dt.timedelta(days=settings.EXPORT_DAYS)
    expired = Q(state=ExportState.DONE, finished_at__lte=before)
    ended = expired | _of_former_readers(instant)
    chosen = Export.objects.filter(ended, closing=None)
    keys = list(chosen.order_by("pk").values_list("pk", flat=True))
    return sum(_ended(pk, before) for pk in keys)


def stopped_for(user: Actor) -> list[Export]:
    """The newest exports of a person that were stopped since they may no longer read
    the system; whoever is let in again sees them in the list like any other."""
    mine = Export.objects.filter(requested_by=user.pk, failure=NOT_A_READER)
    readable = System.objects.visible_to(user)
    rows = mine.exclude(system__in=readable.values("pk"))
    return list(rows.order_by("-pk")[:MAX_STOPPED_SHOWN])


@transaction.atomic
def forget_exports(instant: dt.datetime) -> int:
    """Delete the rows of exports that were finished EXPORT_ROWS_DAYS before `instant`
    and have no file any more; returns how many, MAX_FORGOTTEN at most.

    Each leaves an event. A constant number of statements.
    """
    before = instant - dt.timedelta(days=settings.EXPORT_ROWS_DAYS)
    old = Export.objects.filter(state__in=OVER, finished_at__lte=before, closing=None)
    locked = old.select_for_update(of=("self",), skip_locked=True).order_by("pk")
    rows = list(locked.select_related("system")[:MAX_FORGOTTEN])
    events = [
        about(row, "export.forgotten", by=None, on=str(row.on), state=row.state)
        for row in rows
    ]
    Export.objects.filter(pk__in=[row.pk for row in rows]).delete()
    AuditEvent.objects.append_all(events)
    return len(rows)


def _of_former_readers(instant: dt.datetime) -> Q:
    """Exports that have or will have a file, whose owner may not read the system."""
    live = Export.objects.filter(state__in=[*UNFINISHED, ExportState.DONE])
    owners = live.order_by().values_list("requested_by", flat=True).distinct()
    former = Q(pk__in=[])
    for owner in Actor.objects.filter(pk__in=owners):
        readable = System.objects.visible_to(owner, instant)
        theirs = live.filter(requested_by=owner).exclude(
            system__in=readable.values("pk")
        )
        former |= Q(pk__in=list(theirs.values_list("pk", flat=True)))
    return former


@transaction.atomic
def _ended(pk: int, before: dt.datetime) -> bool:
    """End one, decided from the locked row; False when it ended meanwhile."""
    export = Export.objects.select_for_update(of=("self",)).get(pk=pk)
    if export.state in UNFINISHED:
        Export.objects.filter(pk=pk).update(
            **LET_GO
            | {
                "state": ExportState.CANCELLED,
                "finished_at": now(),
                "failure": NOT_A_READER,
            }
        )
        verb = "export.cancelled"
    elif export.state == ExportState.DONE:
        _without_file(export, ExportState.EXPIRED)
        verb = "export.expired"
    else:
        return False
    over = export.finished_at is not None and export.finished_at <= before
    reason = "" if over else NOT_A_READER
    AuditEvent.objects.append(about(export, verb, by=None, reason=reason))
    return True


def _without_file(export: Export, state: ExportState) -> None:
    """Write that the file is gone, and delete it once that is so for everybody."""
    name = export.file_name
    Export.objects.filter(pk=export.pk).update(state=state, file_name="")
    transaction.on_commit(lambda: drop_file(name), robust=True)
