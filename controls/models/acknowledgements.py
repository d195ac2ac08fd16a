"""That a team has read its duties in a system: who said so, when, of which duties."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models

from controls.models.decisions import Basis
from controls.models.people import Actor, Team


class DutyAcknowledgementQuerySet(models.QuerySet["DutyAcknowledgement"]):
    """What teams said, per system."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the systems the user may read."""
        from controls.models.systems import System

        return self.filter(system__in=System.objects.visible_to(user))

    def newest_of_teams(self) -> Self:
        """The last one of each team in each system, with its duties and who said so."""
        return (
            self.select_related("duties", "acknowledged_by")
            .order_by("system_id", "team_id", "-pk")
            .distinct("system_id", "team_id")
        )


class DutyAcknowledgement(models.Model):
    """One team's word that it has read what it has to do in a system, append-only.

    `duties` is kept as the bases of classes are: once, by its digest. Another list of
    duties has another digest, and the team is asked again.
    """

    append_only = True

    system = models.ForeignKey(
        "controls.System", models.PROTECT, related_name="duty_acknowledgements"
    )
    team = models.ForeignKey(Team, models.PROTECT, related_name="+")
    duties = models.ForeignKey(Basis, models.PROTECT, related_name="+")
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = DutyAcknowledgementQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["system", "team", "-id"], name="acknowledgement_latest"
            )
        ]

    def __str__(self) -> str:
        return f"{self.team}: {self.duties_id[:12]}"
