"""The closing of an engagement's window, by an officer and an auditor."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from controls.models import Actor, Engagement, System

USER = settings.AUTH_USER_MODEL


class ClosingState(models.TextChoices):
    """Where a closing stands."""

    REQUESTED = "requested", "Waits for the auditors"
    CLOSED = "closed", "Closed"
    REFUSED = "refused", "Refused by the auditors"
    WITHDRAWN = "withdrawn", "Withdrawn"


class ClosingQuerySet(models.QuerySet["WindowClosing"]):
    """Closings."""

    def visible_to(self, user: Actor) -> Self:
        """Of the engagements whose audit pages the user may read."""
        return self.filter(engagement__in=Engagement.objects.open_to(user))

    def to_decide(self, user: Actor) -> Self:
        """What waits for the user as an auditor of the engagement, who decides it."""
        audited = Engagement.objects.audited_by(user)
        return self.filter(state=ClosingState.REQUESTED, engagement__in=audited)

    def for_listing(self) -> Self:
        """With engagement and people, the newest first."""
        return self.select_related(
            "system", "engagement__system", "requested_by", "decided_by"
        ).order_by("-pk")


class WindowClosing(models.Model):
    """An officer says that the window is whole; an auditor of the engagement confirms.

    requested -> closed | refused | withdrawn. At `closed_at` the exports of the window
    are asked for, with that instant's knowledge, and kept; what is recorded later is
    shown as *after closing*. A closed window stays closed.
    """

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="closings")
    engagement = models.ForeignKey(Engagement, models.PROTECT, related_name="closings")
    requested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: nobody has decided
    decided_by = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(
        max_length=10,
        choices=ClosingState,
        default=ClosingState.REQUESTED,
        editable=False,
    )
    # what the officer says about the window; empty: nothing
    note = models.TextField(blank=True, default="")
    # why it was refused; empty unless it was
    reason = models.TextField(blank=True, default="")
    requested_at = models.DateTimeField(editable=False)
    decided_at = models.DateTimeField(null=True, blank=True, editable=False)
    # null: not closed; else all that was recorded before belongs to the closed window
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ClosingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="closing_state_known", condition=Q(state__in=ClosingState.values)
            ),
            models.UniqueConstraint(
                fields=["engagement"],
                condition=Q(state__in=["requested", "closed"]),
                name="closing_once_at_a_time",
                violation_error_message="Somebody asked to close this window already.",
            ),
            models.CheckConstraint(
                name="closing_by_another",
                condition=~Q(state__in=["closed", "refused"])
                | Q(decided_by__isnull=False) & ~Q(decided_by=F("requested_by")),
                violation_error_message="An auditor must decide, not who asked.",
            ),
            models.CheckConstraint(
                name="closing_has_its_instant",
                condition=Q(state="closed", closed_at__isnull=False)
                | ~Q(state="closed") & Q(closed_at=None),
            ),
            models.CheckConstraint(
                name="closing_refused_says_why",
                condition=~Q(state="refused") | ~Q(reason=""),
                violation_error_message="Say why it is refused.",
            ),
        ]

    def __str__(self) -> str:
        return f"Window of {self.engagement}"
