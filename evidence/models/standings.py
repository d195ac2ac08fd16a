"""Where each row that is asked stands, kept so that lists need not judge them all."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models import F, Q

from controls.models import System, Team
from evidence.models.requirements import RequirementControl


class AskStanding(models.Model):
    """What says on every day of `[holds_from, holds_until)` where one row stands.

    Of each row that is asked of our half and recurs or is asked once; none per event.
    It repeats what links, terms and decisions say: a row of StandingMark says that it
    no longer does, and readers judge such a row themselves. Days are inclusive but for
    `operates_until` and `holds_until`.
    """

    # No foreign key in the database: what goes, goes without this.
    requirement = models.OneToOneField(
        RequirementControl,
        models.DO_NOTHING,
        primary_key=True,
        related_name="+",
        db_constraint=False,
    )
    system = models.ForeignKey(
        System,
        models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,  # standing_of_team begins with it
    )
    # whose work it is today; null: nobody's
    team = models.ForeignKey(
        Team,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    # of the ask that it is joined under; minus the row's own key where it stands alone
    ask_key = models.BigIntegerField()
    operates_from = models.DateField()
    # null: until further notice
    operates_until = models.DateField(null=True)
    waiting = models.BooleanField()
    # and nothing was accepted that was submitted later
    rejected = models.BooleanField()
    proven = models.BooleanField()
    # when its proof runs out, without any the first time; null: never
    due = models.DateField(null=True)
    # the day from which that is called soon; null as `due`
    soon_from = models.DateField(null=True)
    # due day of the oldest period that nothing was brought for; null: there is none
    open_due = models.DateField(null=True)
    # whether its terms have, had or will have calendar periods
    has_periods = models.BooleanField()
    holds_from = models.DateField()
    holds_until = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="standing_holds_on_a_day",
                condition=Q(holds_from__lt=F("holds_until")),
            )
        ]
        indexes = [models.Index(fields=["system", "team"], name="standing_of_team")]

    def __str__(self) -> str:
        due = self.open_due or self.due
        return f"due {due}" if due else "nothing due"

    def holds_on(self, day: dt.date) -> bool:
        """Whether it says where its row stands on a day."""
        return self.holds_from <= day < self.holds_until


class StandingMark(models.Model):
    """Something was written that a row's AskStanding rests on: it is to be made anew.

    Triggers add these in the transaction that writes (`controls.history.standings`);
    whoever makes the row anew deletes those that it saw before it read anything else.
    """

    # without a foreign key: the row may be gone
    requirement_id = models.BigIntegerField(db_index=True)
    # number of the transaction: it marks a row once
    written_by = models.BigIntegerField()

    def __str__(self) -> str:
        return f"row {self.requirement_id}"
