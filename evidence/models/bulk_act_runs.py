"""An act on many rows that a worker carries out, row by row."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from controls.models import Actor, System
from evidence.jobs.models import LeasedJob

USER = settings.AUTH_USER_MODEL


class BulkActState(models.TextChoices):
    """How far an act is."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class BulkActRunQuerySet(models.QuerySet["BulkActRun"]):
    """Acts that are or were carried out."""

    def visible_to(self, user: Actor) -> Self:
        """Those that the person confirmed, of systems that they may still read."""
        return self.filter(asked_by=user.pk, system__in=System.objects.visible_to(user))


class BulkActRun(LeasedJob):
    """One confirmed act on more rows than one request carries out.

    queued -> running -> done | failed. What was done before it failed stays done:
    `results` has an entry for each of the first `done_rows` of `rows`.
    """

    reason_field: ClassVar[str] = "error"

    system = models.ForeignKey(System, models.PROTECT, related_name="+")
    asked_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    act = models.CharField(max_length=40)
    values = models.JSONField(default=dict)
    # of each: the row's key, and a digest of what its preview showed
    rows = models.JSONField(default=list)
    # of each row done: label of its control, title, outcome, sentence
    results = models.JSONField(default=list)
    done_rows = models.PositiveIntegerField(default=0)
    # what it has done to all of its rows, once it is done
    sentence = models.TextField()
    back = models.TextField()  # the address the rows were chosen at
    state = models.CharField(
        max_length=8, choices=BulkActState, default=BulkActState.QUEUED, editable=False
    )
    error = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    # null: not ended
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = BulkActRunQuerySet.as_manager()

    class Meta:
        verbose_name = "act on many rows"
        verbose_name_plural = "acts on many rows"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="bulk_act_run_state_known",
                condition=Q(state__in=BulkActState.values),
            )
        ]

    def __str__(self) -> str:
        return f"{self.act} of {len(self.rows)} rows in {self.system_id}"
