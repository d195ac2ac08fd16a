"""What a system is judged by on which days: regime, level, partition, currency, and
how far letters reach."""

from __future__ import annotations

import datetime as dt
from typing import Self

from django.conf import settings
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from controls.models.people import Actor
from controls.models.retrospect import RetrospectiveChange
from controls.models.systems import ImpactLevel, Partition, Regime, System

# The columns that terms and their system have in common.
SYSTEM_TERMS = ("regime", "impact_level", "partition", "currency_days", "letter_months")


class SystemTermsQuerySet(models.QuerySet["SystemTerms"]):
    """What systems are judged by."""

    def visible_to(self, user: Actor) -> Self:
        """Of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def in_force(self, day: dt.date) -> Self:
        """Those whose days hold `day`; at most one of each system."""
        return self.filter(days__contains=day)


class SystemTerms(models.Model):
    """What one system is judged by on the days of `days` (`[)`).

    A system without any was never changed: its own columns hold on every day. Once
    there are terms they cover every day, and the system's columns repeat today's.
    """

    keeps_history = True

    system = models.ForeignKey("controls.System", models.PROTECT, related_name="terms")
    # null: it held before it was changed for the first time
    stated_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    # null: not stated in retrospect
    change = models.ForeignKey(
        RetrospectiveChange, models.PROTECT, null=True, related_name="+"
    )
    days = DateRangeField()
    regime = models.CharField(max_length=10, choices=Regime)
    impact_level = models.CharField(max_length=10, choices=ImpactLevel)
    partition = models.CharField("AWS partition", max_length=12, choices=Partition)
    currency_days = models.PositiveSmallIntegerField("days of currency")
    letter_months = models.PositiveSmallIntegerField(
        "months of a letter", default=3, db_default=3
    )
    # the system's calendar day; null: before the first change
    stated_on = models.DateField(null=True)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = SystemTermsQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "system terms"
        constraints = [
            ExclusionConstraint(
                name="system_has_one_set_of_terms_a_day",
                expressions=[
                    ("system", RangeOperators.EQUAL),
                    ("days", RangeOperators.OVERLAPS),
                ],
                violation_error_message="One of these days has terms already.",
            ),
            models.CheckConstraint(
                name="system_terms_have_days", condition=Q(days__isempty=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_regime_display()}, {self.days}"

    @property
    def last_day(self) -> dt.date | None:
        """The last day on which they hold, inclusive; None where no end is said."""
        return self.days.upper - dt.timedelta(days=1) if self.days.upper else None
