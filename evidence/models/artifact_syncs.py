"""What AWS Artifact lists, as read by its API, and each reading of it."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from controls.access import may_keep_register
from controls.models import Actor, System
from evidence.jobs.models import LeasedJob
from evidence.models.artifacts import ArtifactVersion

USER = settings.AUTH_USER_MODEL
MAX_SYNC_ERRORS = 100  # kept of one run; all are counted


class SyncState(models.TextChoices):
    """How far a reading is."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    PARTIAL = "partial", "Done in part"
    FAILED = "failed", "Failed"


class OfRegisterQuerySet(models.QuerySet[Any]):
    """Rows that whoever may read the register may read."""

    def visible_to(self, user: Actor) -> Self:
        """All, for who may read the register."""
        readable = may_keep_register(user) or System.objects.visible_to(user).exists()
        return self if readable else self.none()


class ArtifactSync(LeasedJob):
    """One reading of AWS Artifact's list of reports into the register.

    queued -> running -> done | partial | failed. `errors` says what could not be read
    or registered; what was read before an error stays. `error` is why nothing was read.
    """

    reason_field: ClassVar[str] = "error"

    # null: at night, by itself
    asked_by = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(
        max_length=8, choices=SyncState, default=SyncState.QUEUED, editable=False
    )
    error = models.CharField(max_length=500, blank=True, default="")
    created_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    # null: not ended
    ended_at = models.DateTimeField(null=True, blank=True)
    calls = models.PositiveIntegerField(default=0)
    read = models.PositiveIntegerField(default=0)
    registered = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    not_placed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    # of each: report (AWS's id, or ""), action, sentence; at most MAX_SYNC_ERRORS
    errors = models.JSONField(default=list, blank=True)

    objects = OfRegisterQuerySet.as_manager()

    class Meta:
        verbose_name = "reading of AWS Artifact"
        verbose_name_plural = "readings of AWS Artifact"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="artifact_sync_state_known",
                condition=Q(state__in=SyncState.values),
            )
        ]

    def __str__(self) -> str:
        return f"Reading of AWS Artifact of {self.created_at:%Y-%m-%d %H:%M} UTC"


class ListedReport(models.Model):
    """One version of one report as AWS Artifact lists it: facts only, no text.

    `artifact_version` is the report of the register that stands for it; null: nobody
    has placed it, and `not_placed_because` says why it could not be by itself.
    """

    keeps_history = True

    artifact_version = models.ForeignKey(
        ArtifactVersion, models.PROTECT, null=True, blank=True, related_name="listed"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    aws_id = models.CharField(max_length=100)
    aws_version = models.PositiveIntegerField()
    arn = models.CharField(max_length=300, blank=True, default="")
    name = models.CharField(max_length=256)
    series = models.CharField(max_length=256, blank=True, default="")
    category = models.CharField(max_length=256, blank=True, default="")
    period_start = models.DateField(null=True, blank=True)
    period_end = models.DateField(null=True, blank=True)  # the last day
    issued_on = models.DateField(null=True, blank=True)
    is_published = models.BooleanField(default=True)
    # its term is accepted by a person at AWS, never from here
    needs_acceptance = models.BooleanField(default=True)
    not_placed_because = models.CharField(max_length=300, blank=True, default="")
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = OfRegisterQuerySet.as_manager()

    class Meta:
        ordering = ["name", "aws_id", "-aws_version"]
        constraints = [
            models.UniqueConstraint(
                fields=["aws_id", "aws_version"], name="listed_report_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name}, version {self.aws_version}"
