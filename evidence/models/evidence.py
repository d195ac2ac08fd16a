"""Something offered as proof: whose it is, where it comes from, who may see it."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models

from controls.models import Actor, System, Team
from evidence.models.scopes import OfTeamQuerySet

USER = settings.AUTH_USER_MODEL


class Sensitivity(models.TextChoices):
    """Who may see the bytes."""

    INTERNAL = "internal", "Internal"
    CONFIDENTIAL = "confidential", "Confidential"
    RESTRICTED = "restricted", "Restricted"


class EvidenceQuerySet(OfTeamQuerySet):
    """Evidence."""

    def revisable_by(self, user: Actor) -> Self:
        """What the user may correct, add to, attach, submit or withdraw.

        `evidence.submissions.who_may.may_revise` lets the same people.
        """
        return self.of_own_teams(user)


class Evidence(models.Model):
    """Something offered as proof that a control is designed well or operated."""

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="evidence")
    team = models.ForeignKey(Team, models.PROTECT, related_name="evidence")
    created_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=200)
    source_system = models.CharField(max_length=120, blank=True, default="")
    procedure = models.TextField(blank=True, default="")
    # of what was drawn from a system: what shows that nothing of it is left out
    completeness = models.TextField(blank=True, default="", db_default="")
    sensitivity = models.CharField(
        max_length=12, choices=Sensitivity, default=Sensitivity.INTERNAL
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "evidence"

    def __str__(self) -> str:
        return self.title
