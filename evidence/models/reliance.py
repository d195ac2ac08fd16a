"""Whether a system relies on a provider's report, and on what came after its review."""

from __future__ import annotations

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from controls.models import Actor, System
from evidence.models.artifacts import ArtifactVersion, ContinuityLetter
from evidence.models.citations import Citation
from evidence.models.reviews import AcceptsOrRejects, ReviewDecision

USER = settings.AUTH_USER_MODEL


class RelianceConclusion(models.TextChoices):
    """What the reliance review ends in."""

    RELY = "rely", "Rely"
    RELY_WITH_RESPONSE = "rely-with-response", "Rely, with our response"
    DO_NOT_RELY = "do-not-rely", "Do not rely"


class OfSystemQuerySet(models.QuerySet[Any]):
    """What systems made of reports and letters."""

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

    objects = OfSystemQuerySet.as_manager()

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


class LetterAcceptance(AcceptsOrRejects):
    """A second person's decision on what came after the review of a report.

    That is a letter, or a citation. Append-only, one for each letter and system, one
    for each citation. What was there when somebody else reviewed the report needs
    none: that review decided on it as well.
    """

    append_only = True

    letter = models.ForeignKey(
        ContinuityLetter,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="acceptances",
    )
    # A citation may be taken back; what was decided on it stays on record.
    citation = models.ForeignKey(
        Citation,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="acceptances",
    )
    system = models.ForeignKey(
        System, models.PROTECT, related_name="letter_acceptances"
    )
    reviewer = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # both copied so that the database can compare them
    registered_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    report_registered_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    decided_on = models.DateField()

    objects = OfSystemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["letter", "system"],
                name="letter_decided_once_per_system",
                violation_error_message="This letter is already decided here.",
            ),
            models.UniqueConstraint(
                fields=["citation"],
                name="citation_decided_once",
                violation_error_message="This citation is already decided.",
            ),
            models.CheckConstraint(
                name="acceptance_of_one_thing",
                condition=Q(letter__isnull=True, citation__isnull=False)
                | Q(letter__isnull=False, citation__isnull=True),
            ),
            models.CheckConstraint(
                name="letter_reviewer_is_not_registrar",
                condition=~Q(reviewer=F("registered_by"))
                & ~Q(reviewer=F("report_registered_by")),
                violation_error_message=(
                    "Somebody who registered neither it nor its report must decide on"
                    " it."
                ),
            ),
            models.CheckConstraint(
                name="letter_decision_known",
                condition=Q(decision__in=ReviewDecision.values),
            ),
            models.CheckConstraint(
                name="letter_rejection_says_why",
                condition=~Q(decision="reject") | ~Q(reason=""),
                violation_error_message="A rejection says why.",
            ),
        ]
