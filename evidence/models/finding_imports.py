"""Files with findings of AWS that were imported, and what each said."""

from __future__ import annotations

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Window
from django.db.models.functions import RowNumber

from controls.models import Actor, System
from evidence.models.observations import FailingObservation

USER = settings.AUTH_USER_MODEL
MAX_FINDING_ID = 600  # characters; an entry of an index has to hold it


class FindingImportQuerySet(models.QuerySet["FindingImport"]):
    """Imported files."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def for_listing(self) -> Self:
        """With their system, the latest first."""
        return self.select_related("system").order_by("-pk")


class FindingImport(models.Model):
    """A file with findings, imported into one system. Append-only.

    `accounts` are the AWS accounts that were taken from it. `left_out` names lines that
    were not taken, the first of them; `refused` counts all. The other numbers count
    findings by control: observations that were made, that were reported again, and that
    their source calls passed.
    """

    append_only = True

    system = models.ForeignKey(System, models.PROTECT, related_name="finding_imports")
    imported_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    file_name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    accounts = models.JSONField(default=list)
    left_out = models.JSONField(default=list, blank=True)
    made = models.PositiveIntegerField()
    again = models.PositiveIntegerField()
    passed = models.PositiveIntegerField()
    refused = models.PositiveIntegerField()
    importer_name = models.CharField(max_length=200)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = FindingImportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="finding_import_of_a_digest",
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
            )
        ]

    def __str__(self) -> str:
        return f"Findings of {self.file_name}"


class ReportedResult(models.TextChoices):
    """What a source calls a finding."""

    FAILED = "failed", "Fails"
    PASSED = "passed", "Passes"


class SourceReportQuerySet(models.QuerySet["SourceReport"]):
    """What sources reported."""

    def visible_to(self, user: Actor) -> Self:
        """Reports of the systems that the person sees."""
        return self.filter(system__in=System.objects.visible_to(user))

    def latest_of(self, observations: Any) -> Self:
        """The latest report about each of the observations. One statement."""
        rank = Window(
            RowNumber(), partition_by=F("observation"), order_by=F("pk").desc()
        )
        return (
            self.filter(observation__in=observations).annotate(rank=rank).filter(rank=1)
        )


class SourceReport(models.Model):
    """What the source of an observation called it, as one file said. Append-only.

    A report changes no state: what a source calls passed is explained or closed by
    people (R28, R36).
    """

    append_only = True

    imported = models.ForeignKey(FindingImport, models.PROTECT, related_name="reports")
    system = models.ForeignKey(System, models.PROTECT, related_name="+")
    observation = models.ForeignKey(
        FailingObservation, models.PROTECT, related_name="reports"
    )
    finding_id = models.CharField(max_length=MAX_FINDING_ID)
    account = models.CharField(max_length=12)
    result = models.CharField(max_length=6, choices=ReportedResult)
    # as the source says it, such as “FAILED, SUPPRESSED”
    words = models.CharField(max_length=120, blank=True, default="")
    severity = models.CharField(max_length=20, blank=True, default="")
    reported_at = models.DateTimeField()
    line = models.PositiveIntegerField()
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = SourceReportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="source_report_result_known",
                condition=Q(result__in=ReportedResult.values),
            ),
            models.UniqueConstraint(
                name="one_report_of_a_file",
                fields=["imported", "observation"],
            ),
        ]
        indexes = [
            models.Index(fields=["system", "finding_id"], name="reported_finding")
        ]

    def __str__(self) -> str:
        return f"{self.get_result_display()} on {self.reported_at:%Y-%m-%d}"
