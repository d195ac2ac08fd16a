"""An act on more rows than one request carries out: a job, with a result for each row.

A worker takes the rows in slices, each in a short transaction with its results. A row
that is no longer as its preview showed it is left as it is, and says so; one that is as
it should be already (it stands under one ask with a row before it) counts as done.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from celery import shared_task
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from controls.errors import NotPermitted, SrmError
from controls.models import Actor, AuditEvent, System
from controls.models.audit import Event, about
from evidence.bulk_acts.act import Act, shown_of
from evidence.bulk_acts.acts import ACTS
from evidence.jobs.kinds import Backoff, CannotBeDone, JobKind
from evidence.jobs.leases import Lease
from evidence.jobs.wake import wake
from evidence.jobs.work import work_on
from evidence.models.bulk_act_runs import BulkActRun, BulkActState
from evidence.status.control_status import now, today_of

SLICE = 20  # rows of one transaction
CHANGED = "It is not as its preview showed it any more: look at it again."
DONE, LEFT = "done", "refused"


def begin_run(
    act: Act,
    system: System,
    rows: Iterable[tuple[int, str]],
    values: Mapping[str, Any],
    *,
    sentence: str,
    back: str,
    by: Actor,
) -> BulkActRun:
    """Have a worker do it of these rows after commit; records that it was confirmed.

    `rows` are keys, each with what was shown of it (`shown_of`).
    """
    run = BulkActRun.objects.create(
        system=system,
        asked_by_id=by.pk,
        act=act.name,
        values=dict(values),
        rows=[list(row) for row in rows],
        sentence=sentence,
        back=back,
    )
    AuditEvent.objects.append(
        about(system, "bulk_act.begun", by=by, act=act.name, rows=len(run.rows))
    )
    wake(run_bulk_act, run.pk)
    return run


def page_of(run: BulkActRun) -> str:
    """The address that says how far it is."""
    return reverse("evidence:bulk_run", args=[run.system.slug, run.uuid])


class BulkActJob(JobKind[BulkActRun]):
    """Goes on with the first row that has no result yet."""

    lease = dt.timedelta(minutes=2)
    max_attempts = 5
    backoff = Backoff(dt.timedelta(seconds=30), dt.timedelta(minutes=10))
    patience_backoff = Backoff(dt.timedelta(minutes=1), dt.timedelta(minutes=10))
    max_wait = dt.timedelta(days=1)
    while_leased = {"state": BulkActState.RUNNING}
    when_given_up = {"state": BulkActState.FAILED}

    @property
    def task(self) -> Any:
        """See `run_bulk_act`."""
        return run_bulk_act

    def unfinished(self) -> QuerySet[BulkActRun]:
        """Neither done nor failed."""
        over = (BulkActState.DONE, BulkActState.FAILED)
        return BulkActRun.objects.exclude(state__in=over).select_related(
            "system", "asked_by"
        )

    def perform(self, lease: Lease[BulkActRun]) -> None:
        """Slice by slice to the end."""
        run, act = lease.job, ACTS[lease.job.act]
        while run.done_rows < len(run.rows):
            _carry_on(lease, act)
        lease.finish(state=BulkActState.DONE, ended_at=now())

    def event_of_giving_up(self, job: BulkActRun) -> Event | None:
        """How many rows were done before."""
        body = {"act": job.act, "done": job.done_rows, "rows": len(job.rows)}
        return about(job.system, "bulk_act.failed", by=None, reason=job.error, **body)


RUNS = BulkActJob()


@transaction.atomic
def _carry_on(lease: Lease[BulkActRun], act: Act) -> None:
    """The next slice with its results, or nothing of it."""
    lease.lock()
    run = lease.job
    try:
        act.require_right(run.system, by=run.asked_by)
    except NotPermitted as refusal:
        raise CannotBeDone(" ".join(refusal.messages)) from refusal
    upcoming = run.rows[run.done_rows : run.done_rows + SLICE]
    results = [_result(run, act, key, shown) for key, shown in upcoming]
    lease.renew(results=run.results + results, done_rows=run.done_rows + len(upcoming))


def _result(run: BulkActRun, act: Act, key: int, shown: str) -> list[str]:
    """Do it of one row; label, title, outcome, sentence."""
    today, by = today_of(run.system), run.asked_by
    rows = act.rows(run.system, [key], run.values, by=by, today=today, lock=True)
    if not rows:
        return ["", "", LEFT, "It is no longer there."]
    (row,) = rows
    named = [row.control.label, row.title or row.control.title]
    if row.outcome == "same":
        return [*named, DONE, row.follows]
    if row.outcome == "refused":
        return [*named, LEFT, row.follows]
    if shown_of(row) != shown:
        return [*named, LEFT, CHANGED]
    try:
        with transaction.atomic():
            act.carry_out(run.system, [key], run.values, by=by, today=today)
    except SrmError as refusal:
        return [*named, LEFT, " ".join(refusal.messages)]
    return [*named, DONE, row.follows]


@shared_task(ignore_result=True, acks_late=True)
def run_bulk_act(run_pk: int) -> None:
    """Carry out one act on many rows; may run twice."""
    work_on(RUNS, run_pk)
