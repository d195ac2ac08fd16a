"""Whether a system relies on one of AWS's reports."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from controls.models import Actor, System
from evidence.models.artifacts import ArtifactVersion

USER = settings.AUTH_USER_MODEL


class RelianceConclusion(models.TextChoices):
    """What the reliance review ends in."""

    RELY = "rely", "Rely"
    RELY_WITH_RESPONSE = "rely-with-response", "Rely, with our response"
    DO_NOT_RELY = "do-not-rely", "Do not rely"


class RelianceReviewQuerySet(models.QuerySet["RelianceReview"]):
    """What systems made of reports."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def for_listing(self) -> Self:
        """With the system, newest first."""
        return self.select_related("system").order_by("-pk")


class RelianceReview(models.Model):
    """One system's reading of one report, by somebody who did not register it.

    Append-only: the newest one of a version and system counts.
    """

    append_only = True

    artifact_version = models.ForeignKey(
        ArtifactVersion, models.PROTECT, related_name="reliance_reviews"
    )
    system = models.ForeignKey(System, models.PROTECT, related_name="reliance_reviews")
    reviewer = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # copied so that the database can compare them
    registered_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    conclusion = models.CharField(max_length=20, choices=RelianceConclusion)
    scope_note = models.TextField(blank=True, default="")
    period_note = models.TextField(blank=True, default="")
    exceptions_note = models.TextField(blank=True, default="")
    cuec_note = models.TextField(blank=True, default="")
    reviewed_on = models.DateField()
    reviewer_name = models.CharField(max_length=200)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = RelianceReviewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="reliance_reviewer_is_not_registrar",
                condition=~Q(reviewer=F("registered_by")),
                violation_error_message=(
                    "Somebody other than the person who registered it must review it."
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_conclusion_display()} by {self.reviewer_name}"
