"""Work on one job from taking it to its outcome; find those that nobody works on."""

from __future__ import annotations

import datetime as dt
import logging
from typing import Any

from django.db import InterfaceError, OperationalError

from controls.history.clock import knowledge_now
from evidence.jobs.kinds import (
    AttemptFailed,
    CannotBeDone,
    JobKind,
    LeaseLost,
    MustWait,
)
from evidence.jobs.leases import Clock, due, take
from evidence.jobs.wake import wake

log = logging.getLogger(__name__)


def work_on(kind: JobKind[Any], pk: int, clock: Clock = knowledge_now) -> bool:
    """Take one job and do it; False when it was not to be taken.

    Never raises for what the work meets, except for the database being away: then the
    lease runs out and the sweep finds the job again.
    """
    lease = take(kind, pk, clock)
    if lease is None:
        return False
    label = f"{lease.job._meta.label} {pk}"
    try:
        try:
            kind.perform(lease)
        except MustWait as away:
            log.info("%s waits: %s", label, away)
            lease.postpone(str(away))
        except CannotBeDone as refusal:
            log.warning("%s cannot be done: %s", label, refusal)
            lease.give_up(str(refusal))
        except AttemptFailed as failure:
            log.warning("%s: attempt %s: %s", label, lease.job.attempts, failure)
            lease.fail(str(failure))
        except (LeaseLost, OperationalError, InterfaceError):
            raise
        except Exception as failure:
            log.exception("%s: attempt %s failed", label, lease.job.attempts)
            lease.fail(in_plain_words(failure))
    except LeaseLost:
        log.warning("%s was taken over or cancelled; this outcome is dropped", label)
    return True


def in_plain_words(failure: Exception) -> str:
    """What to tell people about an exception that nobody foresaw.

    Says what the operating system says; anything else stays in the log.
    """
    if isinstance(failure, OSError):
        return f"{failure.strerror or failure}."
    return "An unexpected fault; the log of the worker has the details."


def sweep(kind: JobKind[Any], instant: dt.datetime | None = None) -> int:
    """Wake a worker for what nobody works on; returns how many. Every 30 s by beat."""
    keys = list(due(kind, instant).values_list("pk", flat=True)[: kind.max_swept])
    for pk in keys:
        wake(kind.task, pk)
    return len(keys)
