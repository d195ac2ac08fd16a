"""Other ways to meet a control than it says, asked for and approved (R10)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from controls.models.requests import RequestQuerySet

USER = settings.AUTH_USER_MODEL
UNDECIDED = ["requested", "lapsed", "withdrawn"]  # by anybody else


class AlternativeState(models.TextChoices):
    """Where an alternative implementation stands."""

    REQUESTED = "requested", "Requested"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    LAPSED = "lapsed", "Lapsed: nobody decided in time"
    WITHDRAWN = "withdrawn", "Taken back by who asked for it"
    # Only in what was known before its ends were `EndRequest`s.
    ENDING = "ending", "Approved; its end is requested"
    ENDED = "ended", "Ended"


class AlternativeQuerySet(RequestQuerySet):
    """Alternative implementations."""

    def for_listing(self) -> Self:
        """With all that a row shows."""
        return super().for_listing().select_related("end_requested_by", "ended_by")


class AlternativeImplementation(models.Model):
    """That a control is met in another way, from `starts_on` to `review_by`, both
    inclusive, and once ended no more from `ended_on` on.

    Life cycle: requested -> approved | refused, by somebody else, lapsed where
    nobody decides in time, or withdrawn by who asked; approved -> ended by an
    `EndRequest` that somebody else than who made that one approves. The days before
    its end stay.
    """

    keeps_history = True

    implementation = models.ForeignKey(
        "controls.ControlImplementation", models.PROTECT, related_name="alternatives"
    )
    requested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: until somebody decides
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    # null: until it is ended; set: who asked for that
    end_requested_by = models.ForeignKey(
        USER, models.PROTECT, null=True, related_name="+"
    )
    # null: until another officer has ended it
    ended_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    constraint = models.TextField(
        help_text="What keeps the control from being met as it is written."
    )
    objective = models.TextField(
        help_text="What the control is for, and how this does it."
    )
    residual_risk = models.TextField(help_text="What risk remains.")
    # its own requirements, by uuid; at least one of the control's
    requirement_uuids = ArrayField(models.UUIDField())
    starts_on = models.DateField()
    review_by = models.DateField(help_text="The last day on which it holds.")
    requested_on = models.DateField(editable=False)
    # null: until it is ended; set: the first day on which it holds no more
    ended_on = models.DateField(null=True, editable=False)
    end_reason = models.TextField(blank=True, default="", editable=False)
    state = models.CharField(
        max_length=10,
        choices=AlternativeState,
        default=AlternativeState.REQUESTED,
        editable=False,
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = AlternativeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="alternative_decided_by_another",
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                violation_error_message=(
                    "An alternative is decided by somebody other than the requester."
                ),
            ),
            models.CheckConstraint(
                name="alternative_end_approved_by_another",
                condition=Q(ended_by=None) | ~Q(ended_by=F("end_requested_by")),
                violation_error_message=(
                    "An alternative is ended by somebody who did not ask for its end."
                ),
            ),
            models.CheckConstraint(
                name="alternative_decided_by_somebody_or_lapsed",
                condition=Q(state__in=UNDECIDED, decided_by=None)
                | (~Q(state__in=UNDECIDED) & Q(decided_by__isnull=False)),
            ),
            models.CheckConstraint(
                name="alternative_ended_by_somebody",
                condition=Q(state="ended", ended_by__isnull=False)
                | (~Q(state="ended") & Q(ended_by=None)),
            ),
            models.CheckConstraint(
                name="alternative_end_asked_for",
                condition=Q(
                    state__in=["ending", "ended"],
                    ended_on__isnull=False,
                    end_requested_by__isnull=False,
                )
                | (
                    ~Q(state__in=["ending", "ended"])
                    & Q(ended_on=None, end_requested_by=None)
                ),
            ),
            models.CheckConstraint(
                name="alternative_days_ordered",
                condition=Q(review_by__gte=F("starts_on")),
                violation_error_message="It is looked at again after it begins.",
            ),
            models.CheckConstraint(
                name="alternative_described",
                condition=~Q(constraint="") & ~Q(objective="") & ~Q(residual_risk=""),
                violation_error_message=(
                    "Name the constraint, the objective and the residual risk."
                ),
            ),
            models.CheckConstraint(
                name="alternative_has_requirements",
                condition=Q(requirement_uuids__len__gte=1),
                violation_error_message="Name at least one requirement of the control.",
            ),
            models.UniqueConstraint(
                fields=["implementation"],
                condition=Q(state="requested"),
                name="alternative_asked_once_at_a_time",
                violation_error_message="Somebody has already asked for this.",
            ),
        ]

    def __str__(self) -> str:
        return f"alternative implementation, {self.get_state_display().lower()}"

    @property
    def last_day(self) -> dt.date:
        """The last day on which it holds if approved, inclusive; before `starts_on`
        where it was ended before it began."""
        if self.state != AlternativeState.ENDED or self.ended_on is None:
            return self.review_by
        return min(self.review_by, self.ended_on - dt.timedelta(days=1))

    @property
    def system(self) -> Any:
        """The system, for the audit chain."""
        return self.implementation.system
