"""What providers' reports speak to, and what systems cite them for."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models

from controls.models import Actor, Control, System
from evidence.models.artifacts import Artifact, OfArtifactQuerySet

USER = settings.AUTH_USER_MODEL


class ArtifactCoverage(models.Model):
    """What a series speaks to: proposed wherever a system may cite it.

    Alone it proves nothing: what a system uses a series for is a `Citation`.
    """

    keeps_history = True

    artifact = models.ForeignKey(Artifact, models.PROTECT, related_name="coverage")
    control = models.ForeignKey(Control, models.PROTECT, related_name="coverage")
    cited_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    citation = models.CharField(max_length=300, blank=True, default="")
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = OfArtifactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["artifact", "control"],
                name="artifact_cited_once_per_control",
                violation_error_message="This artifact is already cited there.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.artifact_id} for {self.control_id}"


class CitationQuerySet(models.QuerySet["Citation"]):
    """What systems cite series for."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def for_listing(self) -> Self:
        """With system, series, control and who cited it, in the catalog's order."""
        return self.select_related(
            "system", "artifact", "control", "cited_by"
        ).order_by("system__name", "control__sort_order", "pk")


class Citation(models.Model):
    """One system's use of a series as proof of its provider's half of a control.

    Made after somebody reviewed a report of the series there, it waits for a second
    person, unless it was there before that rule (`counts_at_once`).
    """

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="citations")
    artifact = models.ForeignKey(Artifact, models.PROTECT, related_name="citations")
    control = models.ForeignKey(Control, models.PROTECT, related_name="citations")
    cited_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    citation = models.CharField(max_length=300, blank=True, default="")
    counts_at_once = models.BooleanField(default=False, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = CitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["system", "artifact", "control"],
                name="artifact_cited_once_per_system_and_control",
                violation_error_message="This artifact is already cited there.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.artifact} for {self.control}"

    @property
    def registrars(self) -> frozenset[int]:
        """Keys of who cited or registered the series: none of them decides on it."""
        return frozenset({self.cited_by_id, self.artifact.registered_by_id})
