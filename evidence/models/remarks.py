"""What a provider's report says that a system has to answer: carve-outs, exceptions,
and controls that it expects of its users."""

from __future__ import annotations

import uuid
from typing import Any, Self

from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from controls.models import Actor, System
from evidence.models.artifacts import (
    ArtifactVersion,
    ArtifactVersionState,
    OfArtifactQuerySet,
)
from evidence.models.reviews import AcceptsOrRejects, ReviewDecision

USER = settings.AUTH_USER_MODEL
MAX_REMARK = 300  # characters: a reference in own words, never the report's text
MAX_ANSWER = 2000


class RemarkKind(models.TextChoices):
    """What a remark is about."""

    SUBSERVICE = "subservice", "Subservice organisation carved out"
    EXCEPTION = "exception", "Exception that touches controls"
    USER_CONTROL = "user-control", "Complementary user entity control"


class RemarkQuerySet(OfArtifactQuerySet):
    """Remarks: whoever may read the artifact may read them."""

    def visible_to(self, user: Actor) -> Any:
        """Those of the artifacts the user may read."""
        versions = ArtifactVersion.objects.visible_to(user)
        return self.filter(artifact_version__in=versions)

    def binding(self, system: Any) -> Any:
        """User controls that a report of their series expects of a system, by the same
        number: else nobody expects them (R20, R26).

        A report that its auditor withdrew does so until the newest review of it there
        does not rely on it, by another person than who recorded that (R32). `system`
        is its key, or a reference to it from three queries further in.
        `status.gather_sql` says the same for any day and known clock.
        """
        # by its name: that module imports this one
        reviews: Any = apps.get_model("evidence", "RelianceReview").objects
        another = Q(artifact_version__ended_by=None) | ~Q(
            reviewer=F("artifact_version__ended_by")
        )
        newest = (
            reviews.filter(artifact_version=OuterRef("artifact_version"), system=system)
            .annotate(
                let_go=Case(
                    When(another, conclusion="do-not-rely", then=Value(True)),
                    default=Value(False),
                )
            )
            .order_by("-known_from", "-pk")
        )
        same = (
            ReportRemark.objects.filter(
                kind=RemarkKind.USER_CONTROL,
                title=OuterRef("title"),
                artifact_version__artifact=OuterRef("artifact_version__artifact"),
            )
            .annotate(let_go=Coalesce(Subquery(newest.values("let_go")[:1]), False))
            .exclude(
                artifact_version__state=ArtifactVersionState.WITHDRAWN, let_go=True
            )
        )
        return self.filter(Exists(same), kind=RemarkKind.USER_CONTROL)

    def for_listing(self) -> Any:
        """With report, series and who registered it, oldest first."""
        return self.select_related(
            "artifact_version__artifact", "registered_by"
        ).order_by("pk")


class ReportRemark(models.Model):
    """One thing that a report says, in a registrar's own words. Append-only.

    A subservice organisation runs `layers` (empty: nobody says which, so all) and is a
    provider of its own by `provider_slug` where a system says so. An exception touches
    the controls `control_ids`; a user control is expected for them.
    """

    append_only = True

    artifact_version = models.ForeignKey(
        ArtifactVersion, models.PROTECT, related_name="remarks"
    )
    registered_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=12, choices=RemarkKind)
    # of a subservice organisation its name; else a number to find it again
    title = models.CharField(max_length=120)
    text = models.CharField(max_length=MAX_REMARK, blank=True, default="")
    provider_slug = models.CharField(max_length=60, blank=True, default="")
    layers = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    control_ids = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = RemarkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["artifact_version", "kind", "title"],
                name="remark_once_in_a_report",
                violation_error_message="This is registered of the report already.",
            ),
            models.CheckConstraint(
                name="remark_kind_known", condition=Q(kind__in=RemarkKind.values)
            ),
            models.CheckConstraint(
                name="remark_says_what_it_touches",
                condition=Q(kind="subservice", control_ids=[]) & ~Q(provider_slug="")
                | ~Q(kind="subservice") & ~Q(control_ids=[]) & Q(provider_slug=""),
                violation_error_message="Name the controls that it touches.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.get_kind_display().lower()})"


class RemarkChoice(models.TextChoices):
    """What a system makes of a remark."""

    PROVIDER = "provider", "A provider of its own: its own report is needed"
    NOT_NEEDED = "not-needed", "No provider of its own, for the reason given"
    RESPONSE = "response", "Our response"


class RemarkAnswerQuerySet(models.QuerySet["RemarkAnswer"]):
    """What systems answered."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def for_listing(self) -> Self:
        """With remark, report, system and decision, oldest first."""
        return self.select_related(
            "remark__artifact_version__artifact", "system", "decision"
        ).order_by("pk")


class RemarkAnswer(models.Model):
    """One system's answer to a remark; it counts once a second person accepted it.

    Append-only: of several that were accepted the newest counts.
    """

    append_only = True

    remark = models.ForeignKey(ReportRemark, models.PROTECT, related_name="answers")
    system = models.ForeignKey(System, models.PROTECT, related_name="remark_answers")
    answered_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    choice = models.CharField(max_length=10, choices=RemarkChoice)
    text = models.TextField(max_length=MAX_ANSWER)
    answered_on = models.DateField()
    answerer_name = models.CharField(max_length=200)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = RemarkAnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="remark_answer_known", condition=Q(choice__in=RemarkChoice.values)
            ),
            models.CheckConstraint(
                name="remark_answer_says_why",
                condition=~Q(text=""),
                violation_error_message="Say why.",
            ),
        ]

    def __str__(self) -> str:
        return f"answer to {self.remark}"


class RemarkDecision(AcceptsOrRejects):
    """A second person's decision on an answer. Append-only, one for each."""

    append_only = True

    answer = models.OneToOneField(RemarkAnswer, models.PROTECT, related_name="decision")
    system = models.ForeignKey(System, models.PROTECT, related_name="remark_decisions")
    reviewer = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # both copied so that the database can compare them
    answered_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    registered_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    decided_on = models.DateField()

    objects = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="remark_decided_by_another",
                condition=~Q(reviewer=F("answered_by"))
                & ~Q(reviewer=F("registered_by")),
                violation_error_message=(
                    "Somebody who neither answered nor registered it must decide."
                ),
            ),
            models.CheckConstraint(
                name="remark_decision_known",
                condition=Q(decision__in=ReviewDecision.values),
            ),
            models.CheckConstraint(
                name="remark_rejection_says_why",
                condition=~Q(decision="reject") | ~Q(reason=""),
                violation_error_message="A rejection says why.",
            ),
        ]
