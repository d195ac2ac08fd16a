"""A kind of job for the stories: rows of mail, with work that the test says."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.models import QuerySet

from controls import clock
from controls.models import User
from evidence.jobs.kinds import Backoff, JobKind
from evidence.jobs.leases import Lease
from evidence.models import NoticeMail
from evidence.models.notices import MailState

MINUTE = dt.timedelta(minutes=1)


class Clock:
    """Time that passes only when the test says so. The real clock at first."""

    def __init__(self) -> None:
        self.instant = clock.now()

    def __call__(self) -> dt.datetime:
        return self.instant

    def passes(self, pause: dt.timedelta) -> None:
        self.instant += pause


class Bell:
    """A task that only notes for which rows a worker was woken."""

    def __init__(self) -> None:
        self.rung: list[int] = []

    def delay(self, pk: int) -> None:
        self.rung.append(pk)


class Chore(JobKind[NoticeMail]):
    """Three attempts under leases of ten minutes."""

    lease = 10 * MINUTE
    max_attempts = 3
    backoff = Backoff(MINUTE, 4 * MINUTE)
    patience_backoff = Backoff(MINUTE, 30 * MINUTE)
    max_wait = dt.timedelta(days=2)
    while_leased = {"state": MailState.SENDING}
    while_waiting = {"state": MailState.QUEUED}
    after_failure = {"state": MailState.FAILED}
    when_given_up = {"state": MailState.FAILED}

    def __init__(self, work: Callable[[Lease[NoticeMail]], None] | None = None) -> None:
        self.work, self.bell = work or (lambda lease: lease.finish()), Bell()

    @property
    def task(self) -> Any:
        return self.bell

    def unfinished(self) -> QuerySet[NoticeMail]:
        return NoticeMail.objects.exclude(state__in=[MailState.SENT, MailState.DROPPED])

    def perform(self, lease: Lease[NoticeMail]) -> None:
        self.work(lease)


def make_chores(count: int) -> list[int]:
    """Keys of as many rows that wait for a worker."""
    user, _ = User.objects.get_or_create(email="c@example.test", name="Cleo")
    return [NoticeMail.objects.create(user=user).pk for _ in range(count)]


def in_another_connection(work: Callable[[], Any], seconds: float = 10) -> Any:
    """What `work` returns on a connection of its own; fails when it takes longer."""
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(work())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    assert results, "it failed, or waited for a lock"
    return results[0]
