"""Providers' reports: what they are, what they cover, and the letters after them.

One file: reports and their letters rest on each other's days.
"""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from controls.access import may_keep_register
from controls.models import Actor, Service, System
from controls.models.systems import ImpactLevel, Partition

USER = settings.AUTH_USER_MODEL


class AssuranceKind(models.TextChoices):
    """What an artifact can prove, and for how long."""

    PERIOD = "period", "Report over a period (SOC 2 Type II)"
    POINT = "point", "Report of one date (Type I, PCI AOC)"
    CERTIFICATE = "certificate", "Certificate (ISO, HITRUST)"
    AUTHORIZATION = "authorization", "Authorization (FedRAMP)"
    SUMMARY = "summary", "Public summary (SOC 3)"
    ASSESSMENT = "assessment", "Our own assessment of a provider without reports"


class Scheme(models.TextChoices):
    """The rules under which the report was made."""

    SOC1 = "soc1", "SOC 1"
    SOC2 = "soc2", "SOC 2"
    SOC3 = "soc3", "SOC 3"
    C5 = "c5", "C5"
    ISO = "iso", "ISO 27001"
    HITRUST = "hitrust", "HITRUST"
    PCI = "pci", "PCI DSS"
    IRAP = "irap", "IRAP"
    FEDRAMP = "fedramp", "FedRAMP"
    OWN = "own", "Our own assessment"


AWS = "aws"  # the slug of the provider AWS


class ArtifactQuerySet(models.QuerySet["Artifact"]):
    """Providers' documents; they belong to the installation."""

    def visible_to(self, user: Actor) -> Self:
        """All, for registrars and anybody who may read some system."""
        if may_keep_register(user) or System.objects.visible_to(user).exists():
            return self
        return self.none()

    def for_listing(self) -> Self:
        """With versions, letters and reliance reviews."""
        return self.prefetch_related(
            "versions__letters", "versions__reliance_reviews", "versions__services"
        ).order_by("title")


class Artifact(models.Model):
    """A series of reports of one kind, such as AWS's SOC 2 Type II.

    It proves something only where its provider, told by `provider_slug`, is a party.
    """

    keeps_history = True

    registered_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=200)
    provider = models.CharField(max_length=60, default="AWS")
    provider_slug = models.SlugField(
        max_length=60, default=AWS, db_default=AWS, editable=False
    )
    series = models.SlugField(max_length=60, unique=True)
    kind = models.CharField(max_length=14, choices=AssuranceKind)
    scheme = models.CharField(max_length=12, choices=Scheme)
    type1 = models.BooleanField(
        default=False, help_text="Type I: shows design only, on one date."
    )
    responsibility_summary = models.BooleanField(
        default=False, help_text="Comes with a responsibility summary (PCI)."
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ArtifactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="artifact_kind_known", condition=Q(kind__in=AssuranceKind.values)
            ),
            models.CheckConstraint(
                name="assessment_is_not_of_aws",
                condition=~Q(kind="assessment") | ~Q(provider_slug="aws"),
                violation_error_message=(
                    "AWS issues reports; an assessment of our own is for a provider"
                    " that issues none."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class ArtifactVersionState(models.TextChoices):
    """Whether it still stands, and which of three ends it met (R20).

    A superseded one keeps every day it covered; a revoked one covers none from its day
    on; one that its auditor withdrew covers none at all, as known from then.
    """

    ACTIVE = "active", "Active"
    SUPERSEDED = "superseded", "Superseded: no longer offered"
    REVOKED = "revoked", "Revoked or suspended"
    WITHDRAWN = "withdrawn", "Withdrawn by its auditor"


class OfArtifactQuerySet(models.QuerySet[Any]):
    """Reports and citations: whoever may read the artifact may read them."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the artifacts the user may read."""
        return self.filter(artifact__in=Artifact.objects.visible_to(user))

    def for_listing(self) -> Self:
        """With the artifact."""
        return self.select_related("artifact")


class ArtifactVersion(models.Model):
    """One report: the days it speaks of, and the services and regions in scope.

    `starts` .. `until` (exclusive) is the period of a report, the validity of a
    certificate or authorization; an assessment has the date `starts` alone. `sites`
    are sites or services by name of a provider other than AWS, "*" all of them. Our
    own words only: a provider's text is never stored.
    """

    keeps_history = True

    artifact = models.ForeignKey(Artifact, models.PROTECT, related_name="versions")
    registered_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    services = models.ManyToManyField(
        Service, related_name="artifact_versions", blank=True
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    label = models.CharField(max_length=120)
    reference = models.CharField(max_length=120, blank=True, default="")
    starts = models.DateField()
    # null: an authorization without a set end
    until = models.DateField(null=True, blank=True)
    issued_on = models.DateField(null=True, blank=True)
    opinion = models.CharField(max_length=60, blank=True, default="")
    impact_level = models.CharField(
        max_length=10, choices=ImpactLevel, blank=True, default=""
    )
    partition = models.CharField(
        max_length=12, choices=Partition, default=Partition.COMMERCIAL
    )
    regions = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    service_slugs = ArrayField(
        models.CharField(max_length=60), default=list, blank=True
    )
    sites = ArrayField(
        models.CharField(max_length=60),
        default=list,
        db_default=models.Value([], ArrayField(models.CharField(max_length=60))),
        blank=True,
    )
    state = models.CharField(
        max_length=10,
        choices=ArtifactVersionState,
        default=ArtifactVersionState.ACTIVE,
    )
    # null: not ended; from this day on it counts no more
    ended_on = models.DateField(null=True, blank=True)
    # null: not ended, or recorded before ends bore a name
    ended_by = models.ForeignKey(
        USER,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        editable=False,
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = OfArtifactQuerySet.as_manager()

    class Meta:
        ordering = ["artifact", "-starts"]
        constraints = [
            models.UniqueConstraint(
                fields=["artifact", "label"], name="artifact_version_label_unique"
            ),
            models.CheckConstraint(
                name="artifact_version_days_ordered",
                condition=Q(until=None) | Q(until__gt=F("starts")),
                violation_error_message="A report ends on or after its first day.",
            ),
            models.CheckConstraint(
                name="artifact_version_ended_has_day",
                condition=Q(state="active", ended_on=None)
                | (~Q(state="active") & Q(ended_on__isnull=False)),
                violation_error_message="Say from which day it no longer counts.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.artifact}, {self.label}"

    @property
    def last_day(self) -> dt.date | None:
        """The last day it speaks of (inclusive), as pages show it; None: no end."""
        return self.until - dt.timedelta(days=1) if self.until else None

    @property
    def same_days_as(self) -> list[str]:
        """Labels of other reports of its series that stand and speak of the very same
        days: one of them is superseded, or registered twice."""
        if self.state != ArtifactVersionState.ACTIVE:
            return []
        days = (self.starts, self.until)
        return [
            other.label
            for other in self.artifact.versions.all()
            if other.pk != self.pk
            and other.state == ArtifactVersionState.ACTIVE
            and (other.starts, other.until) == days
        ]


class ScopeSettingQuerySet(models.QuerySet["ScopeSetting"]):
    """Who set which scope."""

    def visible_to(self, user: Actor) -> Self:
        """Of the reports the user may read."""
        artifacts = Artifact.objects.visible_to(user)
        return self.filter(artifact_version__artifact__in=artifacts)


class ScopeSetting(models.Model):
    """That a person set the scope of a report by a list: its review is not theirs
    (R24, R32). What the scope became stands in the report and in the audit log.
    """

    append_only = True

    artifact_version = models.ForeignKey(
        ArtifactVersion, models.PROTECT, related_name="scope_settings"
    )
    set_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ScopeSettingQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Scope of {self.artifact_version} by {self.set_by}"


class ContinuityLetterQuerySet(models.QuerySet["ContinuityLetter"]):
    """Letters: whoever may read the artifact may read them."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the artifacts the user may read."""
        artifacts = Artifact.objects.visible_to(user)
        return self.filter(artifact_version__artifact__in=artifacts)

    def for_listing(self) -> Self:
        """With the report, its series and who registered it, oldest first."""
        return self.select_related(
            "artifact_version__artifact",
            "artifact_version__registered_by",
            "registered_by",
        ).order_by("issued_on", "pk")


class ContinuityLetter(models.Model):
    """AWS's letter that its controls went on operating after a report's period."""

    keeps_history = True

    artifact_version = models.ForeignKey(
        ArtifactVersion, models.PROTECT, related_name="letters"
    )
    # null: registered before letters bore a name; the report's registrar stands for it
    registered_by = models.ForeignKey(
        USER, models.PROTECT, null=True, related_name="+", editable=False
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    issued_on = models.DateField()
    starts = models.DateField()
    until = models.DateField()
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ContinuityLetterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="letter_days_ordered",
                condition=Q(until__gt=F("starts")),
                violation_error_message="A letter ends on or after its first day.",
            )
        ]

    def __str__(self) -> str:
        return f"letter of {self.issued_on}"

    @property
    def last_day(self) -> dt.date:
        """The last day it names (inclusive); those after its issue do not count."""
        return self.until - dt.timedelta(days=1)

    @property
    def registrars(self) -> frozenset[int]:
        """Keys of those who registered it or its report: none of them decides on it."""
        report = self.artifact_version.registered_by_id
        return frozenset({report, self.registered_by_id or report})
