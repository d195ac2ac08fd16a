"""How far our part of a control was implemented, on which days, and who said so."""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from controls.models.implementations import ImplementationStatus, worst_of
from controls.models.retrospect import RetrospectiveChange

# What a person may say; that nobody has said anything is never said.
STATEABLE = [
    (value, label)
    for value, label in ImplementationStatus.choices
    if value != ImplementationStatus.NOT_STATED
]


class ImplementationStatementQuerySet(models.QuerySet["ImplementationStatement"]):
    """What was said of controls."""

    def holding_on(self, day: dt.date) -> Self:
        """Those whose days hold `day`; at most one for each control."""
        return self.filter(days__contains=day)


class ImplementationStatement(models.Model):
    """The status of a control and of its parts on the days of `days` (`[)`).

    Days of which nobody has said anything are in no row: they are not stated. What is
    said from a day on cuts the row that held that day, so that `stated_on` and
    `stated_by` of a row are those of what it says, not of its last cut.
    """

    keeps_history = True

    implementation = models.ForeignKey(
        "controls.ControlImplementation", models.PROTECT, related_name="statements"
    )
    # null: it held before statements had days, or the program said it
    stated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    # null: not said in retrospect
    change = models.ForeignKey(
        RetrospectiveChange, models.PROTECT, null=True, related_name="+"
    )
    days = DateRangeField()
    status = models.CharField(max_length=12, choices=STATEABLE)
    part_statuses = models.JSONField(default=dict, blank=True)
    # the system's calendar day; null: before statements had days
    stated_on = models.DateField(null=True)
    # said of many controls in one act, by filter
    in_bulk = models.BooleanField(default=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ImplementationStatementQuerySet.as_manager()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="implementation_stated_once_for_a_day",
                expressions=[
                    ("implementation", RangeOperators.EQUAL),
                    ("days", RangeOperators.OVERLAPS),
                ],
                violation_error_message="One of these days has a status already.",
            ),
            models.CheckConstraint(
                name="implementation_statement_has_days",
                condition=Q(days__isempty=False),
            ),
            models.CheckConstraint(
                name="implementation_statement_known",
                condition=Q(status__in=[value for value, _ in STATEABLE]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_status_display()}, {self.days}"

    @property
    def last_day(self) -> dt.date | None:
        """The last day on which it holds, inclusive; None where no end is said."""
        return self.days.upper - dt.timedelta(days=1) if self.days.upper else None

    @property
    def worst_status(self) -> str:
        """The status of the control: its worst part's."""
        return worst_of([self.status, *self.part_statuses.values()])
