"""Checks of a control that failed, written down by hand."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from controls.models import Actor, ControlImplementation, System

USER = settings.AUTH_USER_MODEL
MAX_SOURCE = 200  # characters
MAX_TEXT = 2000
MAX_PART = 60


class OfControlQuerySet(models.QuerySet[Any]):
    """What was written down about controls of systems."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def matching(self, *, system: str = "", control: str = "") -> Self:
        """Of one system by its slug, of one control by its id; empty means any."""
        filters = {
            "system__slug": system,
            "implementation__control__ref_id": control.lower(),
        }
        return self.filter(**{name: text for name, text in filters.items() if text})

    def for_listing(self) -> Self:
        """With system and control, oldest first."""
        return self.select_related("implementation__control", "system").order_by("pk")


class FailingObservation(models.Model):
    """Somebody saw a control, or one of its parts, fail on a day. Append-only.

    `source` says where that was seen: a test, a scan, a walk-through. Until an accepted
    disposition explains it, or a finding takes its place, it contradicts the evidence
    on every day from `observed_on` on (R28).
    """

    append_only = True

    system = models.ForeignKey(System, models.PROTECT, related_name="observations")
    implementation = models.ForeignKey(
        ControlImplementation, models.PROTECT, related_name="observations"
    )
    recorded_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # the id of a part of the control; empty: the control as a whole
    part = models.CharField(max_length=MAX_PART, blank=True, default="")
    source = models.CharField(max_length=MAX_SOURCE)
    text = models.TextField(max_length=MAX_TEXT)
    observed_on = models.DateField()
    recorder_name = models.CharField(max_length=200)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = OfControlQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="observation_says_what_failed",
                condition=~Q(source="") & ~Q(text=""),
                violation_error_message="Say where it was seen, and what failed.",
            )
        ]
        indexes = [
            models.Index(fields=["implementation", "observed_on"], name="observed")
        ]

    def __str__(self) -> str:
        return f"Failing observation of {self.observed_on}: {self.source}"

    @property
    def first_day(self) -> dt.date:
        """From which day on there is anything to say of it."""
        return self.observed_on
