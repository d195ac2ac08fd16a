"""What a kind of job says about itself, and how its work ends other than well."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from django.db.models import QuerySet

from controls.models.audit import Event
from evidence.jobs.models import LeasedJob

if TYPE_CHECKING:
    from evidence.jobs.leases import Lease

JobT = TypeVar("JobT", bound=LeasedJob)


class MustWait(Exception):
    """What the job needs is away: try later, without counting an attempt.

    The text is shown to people: a sentence in plain words.
    """


class AttemptFailed(Exception):
    """This attempt failed; another may succeed. The text is shown to people."""


class CannotBeDone(Exception):
    """Trying again would not help: give up at once. The text is shown to people."""


class LeaseLost(Exception):
    """The lease ran out, or the job was taken by another worker or cancelled.

    Whoever gets this writes nothing more about the job.
    """


@dataclass(frozen=True)
class Backoff:
    """How long to wait before the next try: doubled each time, up to a longest."""

    first: dt.timedelta
    longest: dt.timedelta

    def after(self, count: int) -> dt.timedelta:
        """The pause after `count` tries in a row, at least one."""
        doublings = min(count - 1, 20)  # beyond, every longest is reached
        return min(self.first * 2**doublings, self.longest)


class JobKind(ABC, Generic[JobT]):
    """One kind of job. Subclasses say which rows, how long, and what is done.

    `while_leased`, `while_waiting`, `when_given_up` are columns written with the step
    that their name says, the state above all.
    """

    lease: ClassVar[dt.timedelta]
    max_attempts: ClassVar[int]
    # between attempts that failed, and while something is away
    backoff: ClassVar[Backoff]
    patience_backoff: ClassVar[Backoff]
    # how long in a row it may wait for something that is away
    max_wait: ClassVar[dt.timedelta]
    while_leased: ClassVar[Mapping[str, Any]] = {}
    while_waiting: ClassVar[Mapping[str, Any]] = {}
    after_failure: ClassVar[Mapping[str, Any]] = {}
    when_given_up: ClassVar[Mapping[str, Any]] = {}
    # most jobs that one sweep wakes
    max_swept: ClassVar[int] = 100

    @abstractmethod
    def unfinished(self) -> QuerySet[JobT]:
        """Rows that are neither done nor cancelled; given up ones may be among them."""

    @abstractmethod
    def perform(self, lease: Lease[JobT]) -> None:
        """Do the work outside of any transaction and end with `lease.finish`.

        Renews the lease at least every `lease / 2`. Raises MustWait, CannotBeDone or
        LeaseLost; AttemptFailed and any other exception count as a failed attempt.
        """

    @property
    @abstractmethod
    def task(self) -> Any:
        """The Celery task that takes the key of a row."""

    def require_going_on(self, job: JobT) -> None:
        """Raise CannotBeDone where the job is not to be done any more.

        Asked with each renewal by a thread of its own while the work goes on, so that
        it stops on the way. The default lets it go on.
        """

    def event_of_giving_up(self, job: JobT) -> Event | None:
        """What the audit log keeps of it, in the same transaction; None: nothing."""
        return None

    def event_of_beginning_anew(self, job: JobT) -> Event | None:
        """As `event_of_giving_up`; a kind that records one records the other."""
        return None
