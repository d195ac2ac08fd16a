"""Who has seen a provider's report, and who was given a copy outside (R27)."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from controls.access import may_keep_register
from controls.models import Actor, System
from evidence.models.artifacts import ArtifactVersion
from evidence.models.citations import Citation
from evidence.models.report_files import OfReportFileQuerySet, ReportFile

USER = settings.AUTH_USER_MODEL


class DisclosureKind(models.TextChoices):
    """How somebody came to see it."""

    VIEWED = "viewed", "Viewed here"
    DOWNLOADED = "downloaded", "Downloaded"
    GIVEN = "given", "Copy given outside"


class DisclosureRecordQuerySet(OfReportFileQuerySet):
    """Records: read by those who keep the report's file (`evidence.held_reports`)."""

    def visible_to(self, user: Actor) -> Self:
        """All, for registrars; for officers, of the series that their systems cite."""
        if may_keep_register(user):
            return self
        systems = System.objects.officered_by(user)
        cited = Citation.objects.filter(system__in=systems).order_by()
        return self.filter(artifact_version__artifact__in=cited.values("artifact"))


class DisclosureRecord(models.Model):
    """One viewing, one download, or one recipient of a copy outside of this company.

    Written in the transaction of its event, and never changed. `person` saw it, or gave
    the copy away; then recipient, firm, day, reason and agreement say to whom and why.
    """

    append_only = True

    artifact_version = models.ForeignKey(
        ArtifactVersion, models.PROTECT, related_name="disclosures"
    )
    # null: a copy that was given away and is not held here
    file = models.ForeignKey(
        ReportFile,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="disclosures",
    )
    person = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=DisclosureKind)
    person_name = models.CharField(max_length=200)
    # the page that was viewed; 0: all of it
    page = models.PositiveIntegerField(default=0)
    recipient = models.CharField(max_length=200, blank=True, default="")
    firm = models.CharField(max_length=200, blank=True, default="")
    reason = models.TextField(blank=True, default="")
    agreement = models.CharField(max_length=200, blank=True, default="")
    disclosed_on = models.DateField()
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = DisclosureRecordQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="disclosure_kind_known",
                condition=Q(kind__in=DisclosureKind.values),
            ),
            models.CheckConstraint(
                name="disclosure_says_to_whom",
                condition=(
                    Q(kind="given")
                    & ~Q(recipient="")
                    & ~Q(firm="")
                    & ~Q(reason="")
                    & ~Q(agreement="")
                )
                | (
                    ~Q(kind="given")
                    & Q(file__isnull=False, recipient="", firm="", agreement="")
                ),
                violation_error_message=(
                    "Say who was given the copy, of which firm, why, and under which"
                    " agreement."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.recipient or self.person_name}"
