"""What auditors mark of a control and of a sampled event: theirs, beside our answers.

No verdict reads any of it (R29).
"""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from controls.models import Actor, ControlImplementation, Engagement, System
from evidence.models.samples import SampleItem

USER = settings.AUTH_USER_MODEL
MAX_REFERENCE = 60  # characters of an auditor's own reference


class MarkState(models.TextChoices):
    """How far an auditor is with a control, and what they found."""

    NOT_STARTED = "not_started", "Not started"
    IN_PROGRESS = "in_progress", "In progress"
    SATISFIED = "satisfied", "Satisfied"
    OTHER = "other_than_satisfied", "Other than satisfied"


class AssessmentMethod(models.TextChoices):
    """How an assessor came to know, in the words of NIST SP 800-53A."""

    EXAMINE = "examine", "Examine"
    INTERVIEW = "interview", "Interview"
    TEST = "test", "Test"


class ItemResult(models.TextChoices):
    """What an auditor found of one sampled event."""

    PASSED = "passed", "As it should be"
    EXCEPTION = "exception", "Exception"
    UNCLEAR = "unclear", "Cannot be told yet"


class OfEngagementQuerySet(models.QuerySet):  # type: ignore[type-arg]
    """Rows of an engagement's auditors."""

    def visible_to(self, user: Actor) -> Self:
        """Of the engagements whose audit pages the user may read."""
        return self.filter(engagement__in=Engagement.objects.open_to(user))


class ControlMark(models.Model):
    """What the auditors of one engagement say of one control; one row, each version of
    which is kept."""

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="marks")
    engagement = models.ForeignKey(Engagement, models.PROTECT, related_name="marks")
    implementation = models.ForeignKey(
        ControlImplementation, models.PROTECT, related_name="marks"
    )
    marked_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(max_length=20, choices=MarkState)
    methods = ArrayField(
        models.CharField(max_length=10, choices=AssessmentMethod),
        default=list,
        blank=True,
    )
    reference = models.CharField(max_length=MAX_REFERENCE, blank=True, default="")
    note = models.TextField(blank=True, default="")
    marked_at = models.DateTimeField(editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = OfEngagementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["engagement", "implementation"],
                name="mark_once_per_control",
                violation_error_message="This control is marked already.",
            ),
            models.CheckConstraint(
                name="mark_state_known", condition=Q(state__in=MarkState.values)
            ),
            models.CheckConstraint(
                name="mark_methods_known",
                condition=Q(methods__contained_by=AssessmentMethod.values),
            ),
        ]

    def __str__(self) -> str:
        label = self.implementation.control.label
        return f"{label}: {self.get_state_display().lower()}"

    @property
    def method_names(self) -> str:
        """`Examine, test`; empty for none."""
        labels = [m.label for m in AssessmentMethod if m.value in self.methods]
        return ", ".join(labels).capitalize()


class TestedItem(models.Model):
    """What the auditors of one engagement found of one sampled event."""

    keeps_history = True
    __test__ = False  # no test of pytest's

    system = models.ForeignKey(System, models.PROTECT, related_name="tested_items")
    engagement = models.ForeignKey(
        Engagement, models.PROTECT, related_name="tested_items"
    )
    sample_item = models.ForeignKey(
        SampleItem, models.PROTECT, related_name="test_results"
    )
    tested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    result = models.CharField(max_length=10, choices=ItemResult)
    note = models.TextField(blank=True, default="")
    tested_at = models.DateTimeField(editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = OfEngagementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["engagement", "sample_item"],
                name="tested_once_per_item",
                violation_error_message="This event has a result already.",
            ),
            models.CheckConstraint(
                name="tested_result_known", condition=Q(result__in=ItemResult.values)
            ),
            models.CheckConstraint(
                name="tested_exception_says_what",
                condition=~Q(result="exception") | ~Q(note=""),
                violation_error_message="Say what the exception is.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.sample_item}: {self.get_result_display().lower()}"
