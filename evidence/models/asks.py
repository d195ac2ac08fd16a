"""What is asked for proof, and by which terms on which days."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import connection, models
from django.db.models import CharField, F, Q, Value
from django.db.models.functions import MD5, Cast, Coalesce, Concat

from controls.models import Actor, RetrospectiveChange, System, Team

DAY = dt.timedelta(days=1)


class Cadence(models.TextChoices):
    """How often a requirement must be performed."""

    ONCE = "once", "Once"
    WEEKLY = "weekly", "Weekly"
    MONTHLY = "monthly", "Monthly"
    QUARTERLY = "quarterly", "Quarterly"
    HALF_YEARLY = "half-yearly", "Half-yearly"
    YEARLY = "yearly", "Yearly"
    PER_EVENT = "per-event", "Per event"


class PopulationCadence(models.TextChoices):
    """For which periods the populations of what is asked per event are drawn."""

    WEEKLY = "weekly", "Weekly"
    MONTHLY = "monthly", "Monthly"
    QUARTERLY = "quarterly", "Quarterly"
    HALF_YEARLY = "half-yearly", "Half-yearly"


class Purpose(models.TextChoices):
    """Whether it shows that a control is well designed or that it operated."""

    DESIGN = "design", "Design"
    OPERATION = "operation", "Operation"


class EvidenceRequirementQuerySet(models.QuerySet["EvidenceRequirement"]):
    """Asks."""

    def visible_to(self, user: Actor) -> Self:
        """Asks of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))


class EvidenceRequirement(models.Model):
    """One ask: what one performance shows, for the controls that it names.

    What it asks, and how often, are its terms, which have days. Each control that it
    names has a row of its own (`RequirementControl`) with links and reviews.

    Every row has an ask of its own. One that joins several has no terms: those of their
    own asks say, for the days on which they are one, under which ask they stand
    (`RequirementTerms.joined`), and are the same for all of them.
    """

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="asks")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = EvidenceRequirementQuerySet.as_manager()

    class Meta:
        db_table = "evidence_requirement"

    def __str__(self) -> str:
        return f"Ask {self.uuid}"


# What terms say and a row of a control repeats as of today.
TERMS_COLUMNS = (
    "title",
    "guidance",
    "good_proof",
    "cadence",
    "population_cadence",
    "purpose",
    "grace_days",
    "lead_days",
    "owner_team_id",
    "joined_id",
)
# S608: names of columns of this file
FIRST_TERMS = f"""
INSERT INTO evidence_requirementterms (ask_id, days, {", ".join(TERMS_COLUMNS)})
SELECT r.ask_id, daterange(NULL, NULL), {", ".join(f"r.{n}" for n in TERMS_COLUMNS)}
  FROM evidence_evidencerequirement AS r WHERE r.id = ANY(%s)
 ORDER BY r.id
"""  # noqa: S608


class RequirementTermsQuerySet(models.QuerySet["RequirementTerms"]):
    """Terms of asks."""

    def in_force(self, day: dt.date) -> Self:
        """Those that hold on a day."""
        return self.filter(days__contains=day)

    def begin_as(self, rows: Iterable[int]) -> None:
        """Write the first terms of new rows of controls, by their keys: what the rows
        say, on every day. One statement."""
        with connection.cursor() as cursor:
            cursor.execute(FIRST_TERMS, [list(rows)])


def _same_words() -> MD5:
    """What terms of one joined ask have in common, as one text that can be compared."""
    texts = (
        "title",
        "guidance",
        "good_proof",
        "cadence",
        "purpose",
        Cast("grace_days", CharField()),
        Cast(Coalesce(F("lead_days"), Value(0)), CharField()),
        Cast(Coalesce(F("owner_team"), Value(0)), CharField()),
    )
    separated = [part for text in texts for part in (text, Value("\x1f"))]
    return MD5(Concat(*separated, output_field=CharField()))


class RequirementTerms(models.Model):
    """What an ask says, for its days: `days` is a range `[first, until)`.

    An open side means from the beginning, or until further notice. Of one ask at most
    one row holds on a day; every day has one. `change` is the change in retrospect
    that wrote it, null where it held from the day it was stated.
    """

    keeps_history = True

    ask = models.ForeignKey(EvidenceRequirement, models.PROTECT, related_name="terms")
    # null: the team that owns the control
    owner_team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="+"
    )
    change = models.ForeignKey(
        RetrospectiveChange, models.PROTECT, null=True, blank=True, related_name="+"
    )
    # the ask under which it stands with others on these days; null: it stands alone
    joined = models.ForeignKey(
        EvidenceRequirement,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="joined_terms",
    )
    days = DateRangeField()
    title = models.CharField(max_length=200)
    guidance = models.TextField(blank=True, default="")
    good_proof = models.TextField(blank=True, default="")
    cadence = models.CharField(max_length=12, choices=Cadence)
    # read only where it is asked per event
    population_cadence = models.CharField(
        max_length=12,
        choices=PopulationCadence,
        default=PopulationCadence.QUARTERLY,
        db_default=PopulationCadence.QUARTERLY,
    )
    purpose = models.CharField(
        max_length=10, choices=Purpose, default=Purpose.OPERATION
    )
    grace_days = models.PositiveSmallIntegerField()
    # null: what `status.cadence.lead_days` says
    lead_days = models.PositiveSmallIntegerField(null=True, blank=True)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = RequirementTermsQuerySet.as_manager()

    class Meta:
        db_table = "evidence_requirementterms"
        constraints = [
            ExclusionConstraint(
                name="terms_one_in_force",
                expressions=[
                    ("ask", RangeOperators.EQUAL),
                    ("days", RangeOperators.OVERLAPS),
                ],
                violation_error_message="Other terms hold on some of these days.",
            ),
            ExclusionConstraint(
                # checked at the end, since a change writes them one after the other
                name="joined_terms_say_the_same",
                expressions=[
                    ("joined", RangeOperators.EQUAL),
                    ("days", RangeOperators.OVERLAPS),
                    (_same_words(), RangeOperators.NOT_EQUAL),
                ],
                condition=Q(joined__isnull=False),
                deferrable=models.Deferrable.DEFERRED,
                violation_error_message="Controls of one ask have the same terms.",
            ),
            models.CheckConstraint(
                name="terms_hold_on_a_day",
                condition=Q(days__isempty=False),
                violation_error_message="Terms hold for a day at least.",
            ),
            models.CheckConstraint(
                name="terms_cadence_known", condition=Q(cadence__in=Cadence.values)
            ),
            models.CheckConstraint(
                name="terms_population_cadence_known",
                condition=Q(population_cadence__in=PopulationCadence.values),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def first_day(self) -> dt.date | None:
        """The first day on which they hold; None: from the beginning."""
        return self.days.lower

    @property
    def until(self) -> dt.date | None:
        """The first day on which they no longer hold; None: until further notice."""
        return self.days.upper

    @property
    def last_day(self) -> dt.date | None:
        """The last day on which they hold; None: until further notice."""
        return self.days.upper - DAY if self.days.upper else None
