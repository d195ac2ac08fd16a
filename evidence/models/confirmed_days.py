"""A reviewer's word that evidence brought late itself shows the day (R14)."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import models
from django.db.models import Q

from controls.errors import Refused
from controls.reasons import refuse_long

SAY_WHERE = "Say where the evidence shows the day: a ticket, a log, a signature."


@dataclass(frozen=True)
class DayConfirmation:
    """What a reviewer says of the day: confirmed or not, and where it is shown."""

    confirmed: bool = False
    shown_by: str = ""

    def columns(self) -> dict[str, bool | str]:
        """As a review keeps it. Raises Refused where it is confirmed without where."""
        if not self.confirmed:
            return {"day_confirmed": False, "day_shown_by": ""}
        shown_by = self.shown_by.strip()
        if not shown_by:
            raise Refused({"day_shown_by": SAY_WHERE})
        refuse_long(shown_by, "day_shown_by")
        return {"day_confirmed": True, "day_shown_by": shown_by}


NOT_CONFIRMED = DayConfirmation()


class ConfirmsDay(models.Model):
    """What a review of something brought after its due day may say besides.

    `day_confirmed`: the evidence itself shows the day it was performed; `day_shown_by`
    says where: a ticket, a log, a signature. Both are empty where nobody was asked.
    """

    day_confirmed = models.BooleanField(default=False, db_default=False)
    day_shown_by = models.TextField(blank=True, default="", db_default="")

    class Meta:
        abstract = True


def day_confirmed_says_where(name: str) -> models.CheckConstraint:
    """A day is confirmed only together with where the evidence shows it."""
    return models.CheckConstraint(
        name=name,
        condition=Q(day_confirmed=False) | ~Q(day_shown_by=""),
        violation_error_message=SAY_WHERE,
    )
