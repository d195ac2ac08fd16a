"""Findings about controls, and what is asked for and decided about them."""

from __future__ import annotations

import datetime as dt
import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from controls.models import ControlImplementation, System
from evidence.models.links import EvidenceLink
from evidence.models.observations import (
    MAX_PART,
    MAX_SOURCE,
    MAX_TEXT,
    FailingObservation,
    OfControlQuerySet,
)
from evidence.models.reviews import AcceptsOrRejects, ReviewDecision

USER = settings.AUTH_USER_MODEL
MAX_TITLE = 200  # characters


class Severity(models.TextChoices):
    """How grave a finding is; its due day follows from it."""

    HIGH = "high", "High"
    MODERATE = "moderate", "Moderate"
    LOW = "low", "Low"


class Finding(models.Model):
    """A weakness of a control that somebody has to mend. Append-only.

    Open from `found_on` on, for every reader, until a second person accepts evidence
    that closes it, from the day of that decision on. One that was written from a
    failing observation takes its place and its day. What is asked for and decided
    stands in `dispositions`.
    """

    append_only = True

    system = models.ForeignKey(System, models.PROTECT, related_name="findings")
    implementation = models.ForeignKey(
        ControlImplementation, models.PROTECT, related_name="findings"
    )
    # null: it was not observed by a check of its own
    observation = models.OneToOneField(
        FailingObservation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="finding",
    )
    recorded_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    part = models.CharField(max_length=MAX_PART, blank=True, default="")
    title = models.CharField(max_length=MAX_TITLE)
    text = models.TextField(max_length=MAX_TEXT)
    source = models.CharField(max_length=MAX_SOURCE)
    severity = models.CharField(max_length=8, choices=Severity)
    found_on = models.DateField()
    recorder_name = models.CharField(max_length=200)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = OfControlQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="finding_severity_known",
                condition=Q(severity__in=Severity.values),
            ),
            models.CheckConstraint(
                name="finding_says_what",
                condition=~Q(title="") & ~Q(text="") & ~Q(source=""),
                violation_error_message="Say what was found, and where.",
            ),
        ]
        indexes = [models.Index(fields=["implementation", "found_on"], name="found")]

    def __str__(self) -> str:
        return self.title

    @property
    def first_day(self) -> dt.date:
        """From which day on there is anything to say of it."""
        return self.found_on


class DispositionKind(models.TextChoices):
    """What is asked for: the first of an observation, the others of a finding."""

    EXPLAINED = "explained", "No failure, for the reason given"
    CLOSURE = "closure", "Closed: mended, as the evidence shows"
    FALSE_POSITIVE = "false-positive", "False positive: never a weakness"
    RISK_ADJUSTMENT = "risk-adjustment", "Risk adjustment: another severity"
    OPERATIONAL = "operational-requirement", "Operational requirement: stays open"


DEVIATIONS = (
    DispositionKind.FALSE_POSITIVE,
    DispositionKind.RISK_ADJUSTMENT,
    DispositionKind.OPERATIONAL,
)


class Disposition(models.Model):
    """What somebody asks to be made of an observation or a finding. Append-only.

    It counts once a second person has accepted it. `link` is the evidence that closes a
    finding, `severity` what a risk adjustment asks for.
    """

    append_only = True

    system = models.ForeignKey(System, models.PROTECT, related_name="dispositions")
    observation = models.ForeignKey(
        FailingObservation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="dispositions",
    )
    finding = models.ForeignKey(
        Finding, models.PROTECT, null=True, blank=True, related_name="dispositions"
    )
    link = models.ForeignKey(
        EvidenceLink, models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=24, choices=DispositionKind)
    text = models.TextField(max_length=MAX_TEXT)
    severity = models.CharField(max_length=8, choices=Severity, blank=True, default="")
    requested_on = models.DateField()
    requester_name = models.CharField(max_length=200)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = models.Manager.from_queryset(OfControlQuerySet)()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="disposition_of_one_thing",
                condition=Q(kind="explained", finding=None, observation__isnull=False)
                | ~Q(kind="explained") & Q(finding__isnull=False, observation=None),
            ),
            models.CheckConstraint(
                name="disposition_known", condition=Q(kind__in=DispositionKind.values)
            ),
            models.CheckConstraint(
                name="disposition_says_why",
                condition=~Q(text=""),
                violation_error_message="Say why.",
            ),
            models.CheckConstraint(
                name="closure_names_its_evidence",
                condition=Q(kind="closure", link__isnull=False)
                | ~Q(kind="closure") & Q(link=None),
                violation_error_message="Name the evidence that shows it mended.",
            ),
            models.CheckConstraint(
                name="adjustment_names_its_severity",
                condition=Q(kind="risk-adjustment", severity__in=Severity.values)
                | ~Q(kind="risk-adjustment") & Q(severity=""),
                violation_error_message="Name the severity that is asked for.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.subject})"

    @property
    def subject(self) -> Finding | FailingObservation:
        """The finding or the observation that it is about."""
        subject = self.finding or self.observation
        if subject is None:
            raise ValueError("the database refuses a disposition of nothing")
        return subject

    @property
    def asks_official(self) -> bool:
        """Whether accepting it needs the authorizing official's decision (R36)."""
        return self.kind in DEVIATIONS and self.system.regime == "fedramp"

    @property
    def implementation(self) -> ControlImplementation:
        """The control that it is about."""
        return self.subject.implementation


class DispositionDecision(AcceptsOrRejects):
    """A second person's decision on a disposition. Append-only, one for each.

    `official` says who the authorizing official is that agreed to a deviation, and
    where that is kept.
    """

    append_only = True

    disposition = models.OneToOneField(
        Disposition, models.PROTECT, related_name="decision"
    )
    system = models.ForeignKey(
        System, models.PROTECT, related_name="disposition_decisions"
    )
    reviewer = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # both copied so that the database can compare them
    requested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    recorded_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    official = models.CharField(max_length=MAX_SOURCE, blank=True, default="")
    decided_on = models.DateField()

    objects = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="disposition_decided_by_another",
                condition=~Q(reviewer=F("requested_by"))
                & ~Q(reviewer=F("recorded_by")),
                violation_error_message=(
                    "Somebody who neither recorded nor requested it must decide."
                ),
            ),
            models.CheckConstraint(
                name="disposition_decision_known",
                condition=Q(decision__in=ReviewDecision.values),
            ),
            models.CheckConstraint(
                name="disposition_rejection_says_why",
                condition=~Q(decision="reject") | ~Q(reason=""),
                violation_error_message="A rejection says why.",
            ),
        ]
