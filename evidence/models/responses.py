"""What the company says about an item that an auditor will ask about (R36)."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from controls.models import ControlImplementation, System
from evidence.models.observations import MAX_TEXT, OfControlQuerySet
from evidence.models.reviews import AcceptsOrRejects, ReviewDecision

USER = settings.AUTH_USER_MODEL
MAX_OWNER = 200  # characters
MAX_ITEM_TITLE = 500


class ItemKind(models.TextChoices):
    """What is answered; days of an item are inclusive."""

    LATE = "late", "Late"
    MISSED = "missed", "Missed"
    WAIVED = "waived", "Waived by a change in retrospect"
    UNASKED = "unasked", "Nothing asked"
    OPEN = "open", "No report covers these days"
    DEVIATION = "deviation", "Deviations in a sample"
    SAMPLE = "sample", "Sample not shown"
    UNCOVERED = "uncovered", "No population covers these days"


class ItemResponse(models.Model):
    """One response to one item of one control. Append-only.

    The item is known by its control and `key` (`evidence.status.items`); what it was
    when the response was written stands in `kind`, `title`, its days and what was
    counted then: `late_days` of a late period, `events` of a sample. Of several
    accepted ones the newest counts, for as much as it was written about; it changes no
    count and no result.
    """

    append_only = True

    system = models.ForeignKey(System, models.PROTECT, related_name="item_responses")
    implementation = models.ForeignKey(
        ControlImplementation, models.PROTECT, related_name="item_responses"
    )
    responded_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=10, choices=ItemKind)
    key = models.CharField(max_length=16)
    title = models.CharField(max_length=MAX_ITEM_TITLE)
    starts = models.DateField()
    ends = models.DateField()
    late_days = models.PositiveIntegerField(default=0)
    # places in the population; none in rows from before they were kept
    events = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    cause = models.TextField(max_length=MAX_TEXT)
    effect = models.TextField(max_length=MAX_TEXT)
    measures = models.TextField(max_length=MAX_TEXT)
    # evidence that stands in for what is lacking, in words; empty: none
    compensating = models.TextField(max_length=MAX_TEXT, blank=True, default="")
    owner = models.CharField(max_length=MAX_OWNER)
    responded_on = models.DateField()
    responder_name = models.CharField(max_length=200)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = OfControlQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="response_kind_known", condition=Q(kind__in=ItemKind.values)
            ),
            models.CheckConstraint(
                name="response_days_ordered", condition=Q(starts__lte=F("ends"))
            ),
            models.CheckConstraint(
                name="response_says_all",
                condition=~Q(cause="") & ~Q(effect="") & ~Q(measures="") & ~Q(owner=""),
                violation_error_message="Say cause, effect, what was done and who.",
            ),
        ]
        indexes = [models.Index(fields=["implementation", "key"], name="response_to")]

    def __str__(self) -> str:
        return f"Response: {self.get_kind_display()}, {self.starts} to {self.ends}"


class ResponseDecision(AcceptsOrRejects):
    """A second person's decision on a response. Append-only, one for each."""

    append_only = True

    response = models.OneToOneField(
        ItemResponse, models.PROTECT, related_name="decision"
    )
    system = models.ForeignKey(
        System, models.PROTECT, related_name="response_decisions"
    )
    reviewer = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # copied so that the database can compare them
    responded_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    decided_on = models.DateField()

    objects = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="response_decided_by_another",
                condition=~Q(reviewer=F("responded_by")),
                violation_error_message="Somebody who did not write it must decide.",
            ),
            models.CheckConstraint(
                name="response_decision_known",
                condition=Q(decision__in=ReviewDecision.values),
            ),
            models.CheckConstraint(
                name="response_rejection_says_why",
                condition=~Q(decision="reject") | ~Q(reason=""),
                violation_error_message="A rejection says why.",
            ),
        ]
