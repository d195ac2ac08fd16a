"""Controls left out because they have no object, on their days; and early ends."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.contrib.postgres.fields.ranges import DateRangeField
from django.db import models
from django.db.models import F, Func, Q

from controls.models.decisions import Basis
from controls.models.requests import ApprovalState, ExclusionState, RequestQuerySet

USER = settings.AUTH_USER_MODEL


def days_left_out() -> Func:
    """The days on which a decision may hold: `[)`, to the earliest of its ends."""
    after_review = Func(
        "review_by",
        template="((%(expressions)s)::date + 1)",
        output_field=models.DateField(),
    )
    ends = Func("ended_on", "voided_from", after_review, function="LEAST")
    return Func("starts_on", ends, function="DATERANGE", output_field=DateRangeField())


class ApplicabilityDecision(models.Model):
    """That a control has no object here from a day on, as asked and decided.

    Life cycle: requested -> approved | refused, by somebody else, lapsed where
    nobody decides in time, or withdrawn by who asked; approved -> ended. Approved or
    ended it holds from `starts_on` to before the earliest of `ended_on`, `voided_from`
    and the day after `review_by`.
    """

    keeps_history = True

    implementation = models.ForeignKey(
        "controls.ControlImplementation",
        models.PROTECT,
        related_name="applicability_decisions",
    )
    basis = models.ForeignKey(Basis, models.PROTECT, related_name="+")
    requested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: until somebody decides
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    # null: asked for days from that of the request on
    change = models.ForeignKey(
        "controls.RetrospectiveChange",
        models.PROTECT,
        null=True,
        related_name="applicability_decisions",
        editable=False,
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    justification = models.TextField()
    review_by = models.DateField()
    # null: asked for before decisions had days; it holds from the system's first day
    starts_on = models.DateField(null=True, blank=True)
    # null: it goes on; set: first day on which it holds no more
    ended_on = models.DateField(null=True, blank=True, editable=False)
    # null: as before decisions named them, any change of the basis voids it
    absent_layers = models.JSONField(null=True, blank=True)
    # null: its basis stands; set: first day of a layer that was absent, or of another
    # class
    voided_from = models.DateField(null=True, blank=True, editable=False)
    requested_on = models.DateField(null=True, editable=False)
    state = models.CharField(
        max_length=10,
        choices=ExclusionState,
        default=ExclusionState.REQUESTED,
        editable=False,
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = RequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="applicability_decided_by_another",
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                violation_error_message=(
                    "Not applicable is approved by somebody other than the requester."
                ),
            ),
            models.CheckConstraint(
                name="applicability_taken_back_undecided",
                condition=~Q(state="withdrawn") | Q(decided_by=None),
            ),
            models.CheckConstraint(
                name="applicability_justified",
                condition=~Q(justification=""),
                violation_error_message="Say why the control has no object here.",
            ),
            models.CheckConstraint(
                name="applicability_reviewed_after_it_starts",
                condition=Q(starts_on=None) | Q(review_by__gte=F("starts_on")),
                violation_error_message="Look again after the first day, not before.",
            ),
            models.CheckConstraint(
                name="applicability_ends_after_it_starts",
                condition=Q(starts_on=None)
                | (
                    (Q(ended_on=None) | Q(ended_on__gte=F("starts_on")))
                    & (Q(voided_from=None) | Q(voided_from__gte=F("starts_on")))
                ),
            ),
            ExclusionConstraint(
                name="applicability_one_in_force_on_a_day",
                expressions=[
                    ("implementation", RangeOperators.EQUAL),
                    (days_left_out(), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=["approved", "ended"], starts_on__isnull=False),
                violation_error_message=(
                    "It is not applicable already on some of these days."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"not applicable, {self.get_state_display().lower()}"

    @property
    def system(self) -> Any:
        """The system, for the audit chain."""
        return self.implementation.system

    @property
    def last_day(self) -> dt.date:
        """The last day on which it may hold, inclusive, as far as it names layers."""
        after_review = self.review_by + dt.timedelta(days=1)
        ends = [self.ended_on, self.voided_from, after_review]
        return min(day for day in ends if day is not None) - dt.timedelta(days=1)


class EndRequest(models.Model):
    """That an override, a "not applicable" or an alternative holds no more from a day.

    Exactly one of `override`, `exclusion` and `alternative` is set. Life cycle:
    requested -> approved | refused, by somebody else; requested -> lapsed, or
    withdrawn by who asked.
    """

    keeps_history = True

    implementation = models.ForeignKey(
        "controls.ControlImplementation", models.PROTECT, related_name="end_requests"
    )
    # null: it is about an exclusion or an alternative
    override = models.ForeignKey(
        "controls.ResponsibilityOverride",
        models.PROTECT,
        null=True,
        related_name="end_requests",
    )
    # null: it is about an override or an alternative
    exclusion = models.ForeignKey(
        ApplicabilityDecision,
        models.PROTECT,
        null=True,
        related_name="end_requests",
    )
    # null: it is about an override or an exclusion
    alternative = models.ForeignKey(
        "controls.AlternativeImplementation",
        models.PROTECT,
        null=True,
        related_name="end_requests",
    )
    requested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: until somebody decides
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reason = models.TextField()
    ends_from = models.DateField(help_text="First day on which it holds no more.")
    requested_on = models.DateField(editable=False)
    state = models.CharField(
        max_length=10,
        choices=ApprovalState,
        default=ApprovalState.REQUESTED,
        editable=False,
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = RequestQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="end_request_decided_by_another",
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                violation_error_message=(
                    "An end is approved by somebody other than the requester."
                ),
            ),
            models.CheckConstraint(
                name="end_request_taken_back_undecided",
                condition=~Q(state="withdrawn") | Q(decided_by=None),
            ),
            models.CheckConstraint(
                name="end_request_reason_given",
                condition=~Q(reason=""),
                violation_error_message="Say why it ends.",
            ),
            models.CheckConstraint(
                name="end_request_of_exactly_one_thing",
                condition=Q(override__isnull=False, exclusion=None, alternative=None)
                | Q(override=None, exclusion__isnull=False, alternative=None)
                | Q(override=None, exclusion=None, alternative__isnull=False),
            ),
            models.CheckConstraint(
                name="end_request_not_back",
                condition=Q(ends_from__gte=F("requested_on")),
                violation_error_message="An early end cannot take effect before today.",
            ),
            models.UniqueConstraint(
                fields=["override"],
                name="end_of_override_asked_once",
                condition=Q(state="requested"),
                violation_error_message="Its end is already asked for.",
            ),
            models.UniqueConstraint(
                fields=["alternative"],
                name="end_of_alternative_asked_once",
                condition=Q(state="requested"),
                violation_error_message="Its end is already asked for.",
            ),
            models.UniqueConstraint(
                fields=["exclusion"],
                name="end_of_exclusion_asked_once",
                condition=Q(state="requested"),
                violation_error_message="Its end is already asked for.",
            ),
        ]

    def __str__(self) -> str:
        return f"end from {self.ends_from}"

    @property
    def ending(self) -> str:
        """What would end, for sentences."""
        if self.override_id:
            return "its override"
        if self.alternative_id:
            return "the other way it is met in"
        return "that it is not applicable"

    @property
    def system(self) -> Any:
        """The system, for the audit chain."""
        return self.implementation.system
