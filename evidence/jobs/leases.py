"""Take a job under a lease; renew, finish, postpone or give it up under the same one.

Every write names the row, the token of the lease and its end. A worker that lost its
lease changes no row and gets LeaseLost. No lock is held between two calls.

When a lease ends is told by one clock, the database's: those of two machines differ.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from typing import Any, Generic

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import Combinable

from controls.history.clock import knowledge_now
from controls.models import AuditEvent
from evidence.jobs.kinds import JobKind, JobT, LeaseLost
from evidence.jobs.models import LeasedJob

Clock = Callable[[], dt.datetime]
# Written whenever a worker lets go, and by whoever takes its job away from it.
LET_GO: dict[str, Any] = {
    "leased_until": None,
    "lease_token": None,
    "due_at": None,
    "waits": 0,
    "waiting_since": None,
}


def due(kind: JobKind[JobT], instant: dt.datetime | None = None) -> QuerySet[JobT]:
    """Jobs that a worker may take now, the oldest first.

    Those whose lease ran out are among them: their worker died or hangs.
    """
    instant = instant or knowledge_now()
    return (
        kind.unfinished()
        .filter(
            Q(leased_until=None) | Q(leased_until__lte=instant),
            Q(due_at=None) | Q(due_at__lte=instant),
            given_up_at=None,
        )
        .order_by("pk")
    )


@transaction.atomic
def take(
    kind: JobKind[JobT], pk: int, clock: Clock = knowledge_now
) -> Lease[JobT] | None:
    """Lease one job and count the attempt; None when it is not to be taken.

    Waits for nobody: a row that another worker locks is skipped. A job whose attempts
    are used up, since its workers died, is given up instead.
    """
    instant = clock()
    job = (
        due(kind, instant)
        .select_for_update(of=("self",), skip_locked=True)
        .filter(pk=pk)
        .first()
    )
    if job is None:
        return None
    exhausted = job.attempts >= kind.max_attempts
    token = uuid.uuid4()
    changes: dict[str, Any] = {
        "lease_token": token,
        "leased_until": instant + kind.lease,
    }
    if not exhausted:
        changes |= {"attempts": job.attempts + 1, **kind.while_leased}
    _write(kind.unfinished().filter(pk=pk), job, **changes)
    lease = Lease(kind, job, token, clock)
    if exhausted:
        lease.give_up(_exhausted(job))
        return None
    return lease


def _exhausted(job: LeasedJob) -> str:
    """Why a job that nobody may try again has no outcome."""
    last = getattr(job, job.reason_field)
    return f"Given up after {job.attempts} attempts. " + (
        last or "The worker stopped during each of them."
    )


class Lease(Generic[JobT]):
    """One worker's hold on one job. `job` is the row as it was taken or last written.

    All methods raise LeaseLost once the lease ran out or the job is somebody else's;
    each is one UPDATE, or one transaction with its audit event.
    """

    def __init__(
        self, kind: JobKind[JobT], job: JobT, token: uuid.UUID, clock: Clock
    ) -> None:
        self.kind, self.job, self.token, self.now = kind, job, token, clock
        self._renewed = self._stopwatch()

    def renew(self, **changes: Any) -> None:
        """Hold the job for another full lease; progress may be written with it."""
        began = self._stopwatch()
        self._update(leased_until=self.now() + self.kind.lease, **changes)
        self._renewed = began

    def renew_at_half(self) -> None:
        """Renew once half of the lease is over; cheap to call often.

        It asks a stopwatch, not the database, whether it is time; what then holds is
        decided by the database.
        """
        if self._stopwatch() - self._renewed > self.kind.lease.total_seconds() / 2:
            self.renew()

    def _stopwatch(self) -> float:
        """Seconds since some moment; by the clock that was passed, if one was."""
        if self.now is knowledge_now:
            return time.monotonic()
        return self.now().timestamp()

    def lock(self) -> None:
        """Lock the row until the caller's short transaction ends."""
        if self._mine().select_for_update(of=("self",)).first() is None:
            raise self._lost()

    def finish(self, **changes: Any) -> None:
        """Write the outcome and let go. Call it in the transaction of its event."""
        self._update(**LET_GO | {self.job.reason_field: ""} | changes)

    def postpone(self, reason: str) -> None:
        """Let go until what is away may be back; the attempt is not counted.

        Given up, with the reason, when it has waited for `max_wait` in a row.
        """
        instant = self.now()
        since = self.job.waiting_since or instant
        if instant - since >= self.kind.max_wait:
            days = self.kind.max_wait / dt.timedelta(days=1)
            self.give_up(f"Given up after waiting for {days:g} days. {reason}")
            return
        waits = self.job.waits + 1
        self._update(
            **LET_GO
            | self._reason(reason)
            | dict(self.kind.while_waiting)
            | {
                "attempts": F("attempts") - 1,
                "waits": waits,
                "waiting_since": since,
                "due_at": instant + self.kind.patience_backoff.after(waits),
            }
        )

    def fail(self, reason: str) -> None:
        """End a failed attempt; given up, with the reason, when it was the last."""
        attempts = self.job.attempts
        if attempts >= self.kind.max_attempts:
            self.give_up(f"Given up after {attempts} attempts. {reason}")
            return
        self._update(
            **LET_GO
            | self._reason(reason)
            | dict(self.kind.after_failure)
            | {"due_at": self.now() + self.kind.backoff.after(attempts)}
        )

    @transaction.atomic
    def give_up(self, reason: str) -> None:
        """End the job for good, keep why, and record it."""
        self._update(
            **LET_GO
            | self._reason(reason)
            | dict(self.kind.when_given_up)
            | {"given_up_at": self.now()}
        )
        event = self.kind.event_of_giving_up(self.job)
        if event is not None:
            AuditEvent.objects.append(event)

    def _reason(self, reason: str) -> dict[str, str]:
        name = self.job.reason_field
        limit = getattr(self.job._meta.get_field(name), "max_length", None)
        return {name: reason[:limit]}

    def _mine(self) -> QuerySet[JobT]:
        rows: QuerySet[JobT] = self.kind.unfinished()
        return rows.filter(
            pk=self.job.pk, lease_token=self.token, leased_until__gt=self.now()
        )

    def _update(self, **changes: Any) -> None:
        if not _write(self._mine(), self.job, **changes):
            raise self._lost()

    def _lost(self) -> LeaseLost:
        return LeaseLost(f"{self.job._meta.label} {self.job.pk}")


def _write(rows: QuerySet[Any], job: LeasedJob, **changes: Any) -> bool:
    """Update the one row, and the instance in hand; whether there was one."""
    if not rows.update(**changes):
        return False
    for name, value in changes.items():
        if not isinstance(value, Combinable):
            setattr(job, name, value)
    return True


def given_up(kind: JobKind[JobT]) -> QuerySet[JobT]:
    """Jobs that are not done and that nobody tries any more, the oldest first."""
    return kind.unfinished().exclude(given_up_at=None).order_by("pk")


@transaction.atomic
def revive(kind: JobKind[JobT], pk: int | None = None) -> int:
    """Begin given up jobs anew, or one of them, with all attempts; returns how many.

    Recorded where the kind says so, each in its own event of the same transaction.
    """
    chosen = given_up(kind) if pk is None else given_up(kind).filter(pk=pk)
    jobs = list(chosen.select_for_update(of=("self",)))
    kind.unfinished().filter(pk__in=[job.pk for job in jobs]).update(
        **LET_GO | dict(kind.while_waiting) | {"attempts": 0, "given_up_at": None}
    )
    events = [kind.event_of_beginning_anew(job) for job in jobs]
    AuditEvent.objects.append_all(event for event in events if event is not None)
    return len(jobs)
