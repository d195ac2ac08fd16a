"""Bytes that should never have been uploaded, and who decided to destroy them."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from controls.models import Actor, System
from evidence.jobs.models import LeasedJob
from evidence.models.files import EvidenceFile

USER = settings.AUTH_USER_MODEL


class RemovalState(models.TextChoices):
    """Where a removal stands."""

    REQUESTED = "requested", "Requested"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"


class SpillRemovalQuerySet(models.QuerySet["SpillRemoval"]):
    """Removals."""

    def visible_to(self, user: Actor) -> Self:
        """Removals of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def to_decide(self, user: Actor) -> Self:
        """What somebody else asked for where the user is an officer."""
        officered = System.objects.officered_by(user)
        waiting = self.filter(state=RemovalState.REQUESTED, system__in=officered)
        return waiting.exclude(requested_by=user).for_listing()

    def undone(self) -> Self:
        """Approved, the bytes not destroyed yet."""
        return self.filter(state=RemovalState.APPROVED, destroyed_at=None)

    def for_listing(self) -> Self:
        """With all that a row shows."""
        return self.select_related(
            "system",
            "file__blob",
            "file__revision__evidence",
            "requested_by",
            "decided_by",
        )


class SpillRemoval(LeasedJob):
    """One file's removal: asked by an officer, decided by another.

    requested -> approved | refused. After approval the bytes are destroyed in the
    store; digest, record and this row stay. Until then `outcome` says why they are
    still there, if an attempt failed or waits.
    """

    reason_field: ClassVar[str] = "outcome"

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="removals")
    file = models.ForeignKey(EvidenceFile, models.PROTECT, related_name="removals")
    requested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: nobody has decided
    decided_by = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reason = models.TextField()
    # what became of the bytes, store by store, or why they are there still
    outcome = models.TextField(blank=True, default="")
    state = models.CharField(
        max_length=10,
        choices=RemovalState,
        default=RemovalState.REQUESTED,
        editable=False,
    )
    # null: the bytes are there
    destroyed_at = models.DateTimeField(null=True, blank=True)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = SpillRemovalQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="removal_state_known", condition=Q(state__in=RemovalState.values)
            ),
            models.CheckConstraint(
                name="removal_decided_by_another",
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                violation_error_message=(
                    "Somebody other than the requester must approve this."
                ),
            ),
            models.CheckConstraint(
                name="removal_says_why",
                condition=~Q(reason=""),
                violation_error_message="Say what was spilled.",
            ),
            models.UniqueConstraint(
                fields=["file"],
                name="removal_once_per_file",
                condition=~Q(state="refused"),
                violation_error_message="Its removal is already asked for.",
            ),
        ]

    def __str__(self) -> str:
        return f"Removal of {self.file}"
