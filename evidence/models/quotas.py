"""What each team has brought on each day, kept as a running count."""

from __future__ import annotations

from django.db import models

from controls.models import Team


class TeamDay(models.Model):
    """Files and bytes that a team uploaded on one calendar day (UTC)."""

    team = models.ForeignKey(Team, models.PROTECT, related_name="+")
    day = models.DateField()
    files = models.PositiveIntegerField()
    size_bytes = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "day"], name="team_day_once")
        ]

    def __str__(self) -> str:
        return f"{self.team} on {self.day}"
