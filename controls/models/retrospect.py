"""Changes of facts on days before the day they are asked for (R31)."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from controls.models.people import Actor
from controls.models.systems import System

USER = settings.AUTH_USER_MODEL
# Kinds that wait for a second officer from whatever day they are to hold (R32).
TWO_OFFICERS_ON_ANY_DAY = (
    "long-grace",
    "provider-document",
    "retention",
    "retire-last",
    "system-terms",
)


class RetrospectiveState(models.TextChoices):
    """Where a change in retrospect stands."""

    REQUESTED = "requested", "Requested"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    LAPSED = "lapsed", "Lapsed: nobody decided in time"
    WITHDRAWN = "withdrawn", "Taken back by who asked for it"


class RetrospectiveChangeQuerySet(models.QuerySet["RetrospectiveChange"]):
    """Changes in retrospect."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def to_decide(self, user: Actor) -> Self:
        """What waits for the user as the second officer, oldest first.

        `controls.access.require_second_officer` lets the same people decide.
        """
        officered = System.objects.officered_by(user)
        waiting = self.waiting().filter(system__in=officered)
        return waiting.exclude(requested_by=user).for_listing().order_by("pk")

    def waiting(self) -> Self:
        """What nobody has decided."""
        return self.filter(state=RetrospectiveState.REQUESTED)

    def for_listing(self) -> Self:
        """With all that a row shows."""
        return self.select_related("system", "requested_by", "decided_by")

    def matching(self, *, system: str = "", state: str = "") -> Self:
        """Of one system (slug), in one state; empty means any."""
        filters = {"system__slug": system, "state": state}
        return self.filter(**{name: text for name, text in filters.items() if text})


class RetrospectiveChange(models.Model):
    """A change of facts on days before today, asked by one officer.

    Life cycle: requested -> approved | refused, by another officer of the system;
    requested -> lapsed after MAX_DAYS_TO_DECIDE, or withdrawn by who asked. Approved,
    it is carried out in the same transaction: answers know of it from then on, never
    before. `kind` says which fact (`controls.retrospect.applies`), `body` what is to
    hold; `first_day` is the earliest day whose answer it may alter.
    """

    keeps_history = True

    system = models.ForeignKey(
        System, models.PROTECT, related_name="retrospective_changes"
    )
    requested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: until somebody decides, and where nobody did in time
    decided_by = models.ForeignKey(USER, models.PROTECT, null=True, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=30, editable=False)
    body = models.JSONField(default=dict, editable=False)
    reason = models.TextField()
    first_day = models.DateField()
    requested_on = models.DateField(editable=False)
    state = models.CharField(
        max_length=10,
        choices=RetrospectiveState,
        default=RetrospectiveState.REQUESTED,
        editable=False,
    )
    # null: until it is approved, refused or lapses
    decided_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = RetrospectiveChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="retrospective_state_known",
                condition=Q(state__in=RetrospectiveState.values),
            ),
            models.CheckConstraint(
                name="retrospective_decided_by_another",
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                violation_error_message=(
                    "A change in retrospect is decided by somebody other than the"
                    " requester."
                ),
            ),
            models.CheckConstraint(
                name="retrospective_decided_by_somebody",
                condition=Q(
                    state__in=["requested", "lapsed", "withdrawn"], decided_by=None
                )
                | Q(state__in=["approved", "refused"], decided_by__isnull=False),
                violation_error_message="Somebody approves or refuses it.",
            ),
            models.CheckConstraint(
                name="retrospective_decided_at_an_instant",
                condition=Q(state="requested", decided_at=None)
                | (~Q(state="requested") & Q(decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="retrospective_reason_given",
                condition=~Q(reason=""),
                violation_error_message="Say why the past is to be changed.",
            ),
            models.CheckConstraint(
                name="retrospective_first_day_lies_back",
                condition=Q(first_day__lt=F("requested_on"))
                | Q(kind__in=TWO_OFFICERS_ON_ANY_DAY),
                violation_error_message=(
                    "A change from today on, or from a later day, needs no second"
                    " officer."
                ),
            ),
        ]

    def __str__(self) -> str:
        what = self.kind.replace("-", " ")
        return f"Change of {what} from {self.first_day}"

    @property
    def lies_back(self) -> bool:
        """Whether it alters answers about days before that of the request."""
        return self.first_day < self.requested_on
