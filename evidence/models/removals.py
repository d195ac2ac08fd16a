"""Bytes that should never have been uploaded, and who decided to destroy them."""

from __future__ import annotations

import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from controls.models import Actor, System
from evidence.jobs.models import LeasedJob
from evidence.models.blobs import Blob
from evidence.models.files import EvidenceFile
from evidence.models.populations import Population

USER = settings.AUTH_USER_MODEL


class RemovalState(models.TextChoices):
    """Where a removal stands."""

    REQUESTED = "requested", "Requested"
    APPROVED = "approved", "Approved"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Taken back by who asked for it"


NOT_REMOVED = ["refused", "withdrawn"]  # and may be asked for anew


class SpillRemovalQuerySet(models.QuerySet["SpillRemoval"]):
    """Removals."""

    def visible_to(self, user: Actor) -> Self:
        """Removals of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def to_decide(self, user: Actor) -> Self:
        """What somebody else asked for where the user is an officer."""
        officered = System.objects.officered_by(user)
        waiting = self.filter(state=RemovalState.REQUESTED, system__in=officered)
        mine = Q(requested_by=user) | Q(follows__requested_by=user)
        return waiting.exclude(mine).for_listing()

    def undone(self) -> Self:
        """Approved, the bytes not destroyed yet, and nobody else's records need them.

        What `kept_at` holds back is done by the last removal of the same bytes.
        """
        return self.filter(state=RemovalState.APPROVED, destroyed_at=None, kept_at=None)

    def of_bytes(self, blob: Blob) -> Self:
        """Removals of the same bytes in any system."""
        return self.filter(Q(file__blob=blob) | Q(population__blob=blob))

    def for_listing(self) -> Self:
        """With all that a row shows."""
        return self.select_related(
            "system",
            "file__blob",
            "file__revision__evidence",
            "population__blob",
            "population__requirement",
            "requested_by",
            "decided_by",
            "follows",
        )


class SpillRemoval(LeasedJob):
    """Bytes removed from one system: asked by an officer, decided by another.

    requested -> approved | refused, or withdrawn by who asked. After approval nothing
    of the system rests on the bytes. They are destroyed in the store once every system
    whose records rest on them approved too: each gets a removal of its own that
    `follows` the first. Digest, record and this row stay. Until then `outcome` says why
    the bytes are still there.
    """

    reason_field: ClassVar[str] = "outcome"

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="removals")
    # null: only a population of the system rests on the bytes
    file = models.ForeignKey(
        EvidenceFile, models.PROTECT, null=True, blank=True, related_name="removals"
    )
    # null: it is about a file
    population = models.ForeignKey(
        Population, models.PROTECT, null=True, blank=True, related_name="removals"
    )
    # null: an officer of this system asked; set: another system's removed the bytes
    follows = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="followers",
    )
    # null: it follows another system's removal, whose people are not told here
    requested_by = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="+"
    )
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
    # null: no record of another system holds it up; set: since when one does
    kept_at = models.DateTimeField(null=True, blank=True, editable=False)
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
                name="removal_taken_back_undecided",
                condition=~Q(state="withdrawn") | Q(decided_by=None),
            ),
            models.CheckConstraint(
                name="removal_says_why",
                condition=~Q(reason=""),
                violation_error_message="Say what was spilled.",
            ),
            models.CheckConstraint(
                name="removal_of_one_thing",
                condition=Q(file__isnull=False, population=None)
                | Q(file=None, population__isnull=False),
            ),
            models.CheckConstraint(
                name="removal_asked_by_somebody_or_follows",
                condition=Q(requested_by__isnull=False, follows=None)
                | Q(requested_by=None, follows__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["follows", "system"], name="removal_follows_once_in_a_system"
            ),
            models.UniqueConstraint(
                fields=["file"],
                name="removal_once_per_file",
                condition=~Q(state__in=NOT_REMOVED),
                violation_error_message="Its removal is already asked for.",
            ),
        ]

    def __str__(self) -> str:
        return f"Removal of {self.name}"

    @property
    def name(self) -> str:
        """The name of the file, or what the list of events is about."""
        return self.file.name if self.file else f"the list of events: {self.population}"

    @property
    def blob(self) -> Blob:
        """The bytes."""
        if self.file is not None:
            return self.file.blob
        blob = self.population.blob if self.population else None
        if blob is None:
            raise LookupError("A removal is of bytes.")
        return blob

    @property
    def asked_by(self) -> str:
        """Who asked, for sentences; nobody of another system is named."""
        return str(self.requested_by or "Officers who remove the same bytes elsewhere")

    @property
    def requesters(self) -> set[int]:
        """Keys of the people who asked for it, here or in the system it follows."""
        first = self.follows
        people = {self.requested_by_id, first.requested_by_id if first else None}
        return {person for person in people if person is not None}
