"""The columns that make a row of any table a job."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class LeasedJob(models.Model):
    """A row that one worker at a time works on, under a lease.

    The row is the truth; the broker only wakes a worker. `evidence.jobs.leases` is the
    only writer of these columns.
    """

    # The column that keeps in plain words why the last attempt failed or waits.
    reason_field: ClassVar[str]

    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    # null: nobody works on it
    leased_until = models.DateTimeField(null=True, blank=True)
    # null: nobody works on it; otherwise which worker's outcome counts
    lease_token = models.UUIDField(null=True, blank=True, editable=False)
    # null: may be taken at once
    due_at = models.DateTimeField(null=True, blank=True)
    # how often in a row it was postponed
    waits = models.PositiveIntegerField(default=0, db_default=0)
    # null: it does not wait for something that is away
    waiting_since = models.DateTimeField(null=True, blank=True)
    # null: not given up
    given_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True
