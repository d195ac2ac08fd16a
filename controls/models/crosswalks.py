"""Which numbers of its own regime a control answers to, as the users say it."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from controls.models.people import Actor

MAX_NUMBER = 30  # characters of a regime's number, such as CC6.1 or A.5.15


class CrosswalkQuerySet(models.QuerySet["Crosswalk"]):
    """Crosswalks, per system."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the systems the user may read."""
        from controls.models.systems import System

        return self.filter(system__in=System.objects.visible_to(user))

    def titled(self, title: str) -> Self:
        """Of this title, in any mix of capitals."""
        return self.filter(title__iexact=title.strip())

    def reaching(self, day: dt.date) -> Self:
        """Those that hold on a day or begin after it; not those that never hold."""
        return self.filter(Q(ended_on=None) | Q(ended_on__gt=day)).exclude(
            ended_on=F("starts_on")
        )

    def for_listing(self) -> Self:
        """With who imported it and how much it says; the latest first."""
        return (
            self.select_related("system", "imported_by")
            .annotate(
                controls=models.Count("numbers__implementation", distinct=True),
                criteria=models.Count("numbers__number", distinct=True),
            )
            .order_by("-starts_on", "-pk")
        )


class Crosswalk(models.Model):
    """One version of a table of controls and a regime's numbers, for one system.

    It holds from `starts_on` to before `ended_on`, the day from which the next version
    of its title holds; one that was replaced before it began ends on its first day.
    """

    keeps_history = True

    system = models.ForeignKey(
        "controls.System", models.PROTECT, related_name="crosswalks"
    )
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(
        max_length=120,
        help_text="Whose numbers they are, such as “SOC 2 criteria 2022”.",
    )
    starts_on = models.DateField("first day")
    # null: no later version holds
    ended_on = models.DateField(null=True, blank=True, editable=False)
    file_name = models.CharField(max_length=200, editable=False)
    sha256 = models.CharField("sha256 of the file", max_length=64, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = CrosswalkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "system",
                Lower("title"),
                condition=Q(ended_on=None),
                name="crosswalk_current_once",
                violation_error_message="A crosswalk of this title holds already.",
            ),
            models.CheckConstraint(
                name="crosswalk_ends_after_it_starts",
                condition=Q(ended_on=None) | Q(ended_on__gte=F("starts_on")),
                violation_error_message="A crosswalk cannot end before it starts.",
            ),
            models.CheckConstraint(
                name="crosswalk_digest_is_sha256",
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, from {self.starts_on}"

    @property
    def never_holds(self) -> bool:
        """Whether another version replaced it before its first day was over."""
        return self.ended_on == self.starts_on

    def holds_on(self, day: dt.date) -> bool:
        """Whether its numbers stand beside the controls on a day."""
        return self.starts_on <= day and (self.ended_on is None or day < self.ended_on)


class CrosswalkNumber(models.Model):
    """One number of the regime beside one control, append-only."""

    append_only = True

    crosswalk = models.ForeignKey(Crosswalk, models.PROTECT, related_name="numbers")
    implementation = models.ForeignKey(
        "controls.ControlImplementation", models.PROTECT, related_name="regime_numbers"
    )
    number = models.CharField(max_length=MAX_NUMBER)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["crosswalk", "implementation", "number"],
                name="crosswalk_number_once",
                violation_error_message="The number stands beside the control already.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.implementation_id}: {self.number}"
