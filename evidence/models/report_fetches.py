"""One version of a report fetched from AWS Artifact, once a person saw AWS's term."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from evidence.jobs.models import LeasedJob
from evidence.models.artifact_syncs import ListedReport, OfRegisterQuerySet
from evidence.models.blobs import Blob
from evidence.models.report_files import ReportFile

USER = settings.AUTH_USER_MODEL


class FetchState(models.TextChoices):
    """How far a fetch is."""

    QUEUED = "queued", "Waiting"
    RUNNING = "running", "Running"
    TERM = "term", "AWS's term waits to be read"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class ReportFetch(LeasedJob):
    """queued -> running -> term (to be read) -> queued -> running -> done | failed.

    The term comes first and alone; the report comes after `accepted_by` accepted it.
    """

    reason_field: ClassVar[str] = "error"

    listed = models.ForeignKey(ListedReport, models.PROTECT, related_name="fetches")
    asked_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: not fetched yet
    term_blob = models.ForeignKey(
        Blob, models.PROTECT, null=True, blank=True, related_name="+"
    )
    # null: nobody has accepted the term
    accepted_by = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="+"
    )
    # null: not held yet
    file = models.ForeignKey(
        ReportFile, models.PROTECT, null=True, blank=True, related_name="fetches"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(
        max_length=8, choices=FetchState, default=FetchState.QUEUED, editable=False
    )
    error = models.CharField(max_length=500, blank=True, default="")
    # AWS's name of the term that was shown; another one later is shown anew
    term_arn = models.CharField(max_length=300, blank=True, default="")
    agreement = models.CharField(max_length=200, blank=True, default="")
    term = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    # null: not ended
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = OfRegisterQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "report fetches"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="report_fetch_state_known",
                condition=Q(state__in=FetchState.values),
            ),
            models.CheckConstraint(
                name="report_fetch_holds_what_was_accepted",
                condition=Q(file=None)
                | Q(accepted_by__isnull=False, term_blob__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Fetch of {self.listed}"
