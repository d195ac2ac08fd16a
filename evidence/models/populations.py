"""Events that a control had to handle, as somebody brought and somebody judged them."""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Subquery
from django.utils import timezone

from controls.models import Actor, Role, System, Team
from evidence.models.authors import authors_of_files
from evidence.models.blobs import Blob
from evidence.models.confirmed_days import ConfirmsDay, day_confirmed_says_where
from evidence.models.requirements import RequirementControl
from evidence.models.revisions import MAX_COMMON_BYTES, EvidenceRevision
from evidence.models.scopes import OfTeamQuerySet

USER = settings.AUTH_USER_MODEL


class PopulationState(models.TextChoices):
    """Where a population stands: what its newest review says."""

    SUBMITTED = "submitted", "Waits for review"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"


STANDING = (PopulationState.SUBMITTED, PopulationState.ACCEPTED)


class PopulationQuerySet(OfTeamQuerySet):
    """Populations."""

    def with_state(self) -> Self:
        """Each with `state`: what its newest review says, else submitted."""
        newest = PopulationReview.objects.filter(population=OuterRef("pk"))
        decision = Subquery(newest.order_by("-pk").values("decision")[:1])
        waiting = models.Value(PopulationState.SUBMITTED.value)
        return self.annotate(state=models.functions.Coalesce(decision, waiting))

    def standing(self) -> Self:
        """Neither rejected nor withdrawn."""
        return self.exclude(reviews__decision__in=["rejected", "withdrawn"])

    def awaiting_review(self) -> Self:
        """Nobody has said anything about them yet, oldest first."""
        reviewed = PopulationReview.objects.filter(population=OuterRef("pk"))
        return self.filter(~Exists(reviewed)).order_by("pk")

    def reviewable_by(self, user: Actor) -> Self:
        """What this person may decide: independent of it, in systems they review."""
        reviewed = System.objects.held_as(user, [Role.REVIEWER, Role.OFFICER])
        return self.filter(system__in=reviewed).independent_of(user)

    def independent_of(self, user: Actor) -> Self:
        """Populations this person had no hand in (R17, R32).

        Drew neither it nor another one of the same requirement about some of its days,
        and brought no file to the same system that it was read from, as population or
        evidence, if that is larger than MAX_COMMON_BYTES. `authors_of` names the same
        people for many populations.
        """
        drawn = Population.objects.filter(drawn_by=user.pk)
        same_days = drawn.filter(
            requirement=OuterRef("requirement"),
            starts__lte=OuterRef("ends"),
            ends__gte=OuterRef("starts"),
        )
        same_bytes = drawn.filter(
            system=OuterRef("system"),
            blob=OuterRef("blob"),
            blob__size_bytes__gt=MAX_COMMON_BYTES,
        )
        as_evidence = EvidenceRevision.objects.by_author(user).filter(
            evidence__system=OuterRef("system"),
            files__blob=OuterRef("blob"),
            files__blob__size_bytes__gt=MAX_COMMON_BYTES,
        )
        return self.filter(
            ~Exists(same_days), ~Exists(same_bytes), ~Exists(as_evidence)
        )

    def authors_of(self) -> dict[int, set[int]]:
        """Keys of the people who may not review a population, by its key.

        In a constant number of statements, however many populations there are.
        """
        authors = defaultdict(set)
        same_days = self.filter(
            requirement__populations__starts__lte=F("ends"),
            requirement__populations__ends__gte=F("starts"),
        )
        drawers = same_days.values_list("pk", "requirement__populations__drawn_by")
        for population, person in drawers.order_by().distinct():
            authors[population].add(person)
        read_from = self.exclude(blob=None).order_by()
        places = {
            row: (blob, system)
            for row, blob, system in read_from.values_list("pk", "blob", "system")
        }
        of_file = authors_of_files(set(places.values()), known={})
        for population, place in places.items():
            authors[population] |= of_file[place]
        return dict(authors)

    def for_listing(self) -> Self:
        """With state and all that a row shows."""
        return self.with_state().select_related(
            "system",
            "team",
            "drawn_by",
            "requirement__owner_team",
            "requirement__implementation__control",
            "requirement__implementation__owner_team",
            "requirement__implementation__system",
        )


class Population(models.Model):
    """All events of a per-event requirement over `starts` .. `ends`, both inclusive.

    Zero rows are said, not left out. Never changed: a wrong one is rejected or
    withdrawn and a new one drawn. `sha256` is that of the file it was read from, else
    of its canonical rows (`events.digest_of`).
    """

    append_only = True

    system = models.ForeignKey(System, models.PROTECT, related_name="populations")
    requirement = models.ForeignKey(
        RequirementControl, models.PROTECT, related_name="populations"
    )
    team = models.ForeignKey(Team, models.PROTECT, related_name="populations")
    # null: typed in or sent as rows, there is no file
    blob = models.ForeignKey(
        Blob, models.PROTECT, null=True, blank=True, related_name="populations"
    )
    drawn_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    source = models.CharField(max_length=200)
    query = models.TextField()
    starts = models.DateField()
    ends = models.DateField()
    # how we know that it is complete and accurate
    completeness = models.TextField()
    row_count = models.PositiveIntegerField()
    # headings of the further columns, in the order of the file
    columns = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    sha256 = models.CharField(max_length=64)
    drawn_at = models.DateTimeField(default=timezone.now)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    state: str  # set by `with_state`
    objects = PopulationQuerySet.as_manager()

    class Meta:
        ordering = ["-ends", "-pk"]
        constraints = [
            models.CheckConstraint(
                name="population_days_ordered",
                condition=Q(starts__lte=F("ends")),
                violation_error_message="It ends before it starts.",
            ),
            models.CheckConstraint(
                name="population_says_where_from",
                condition=~Q(source="") & ~Q(query=""),
                violation_error_message="Say where it comes from, and by which query.",
            ),
            models.CheckConstraint(
                name="population_says_how_complete",
                condition=~Q(completeness=""),
                violation_error_message=(
                    "Say how you know that it is complete and accurate."
                ),
            ),
            models.CheckConstraint(
                name="population_digest_is_sha256",
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
            ),
        ]
        indexes = [
            models.Index(fields=["requirement", "-ends"], name="population_newest")
        ]

    def __str__(self) -> str:
        return f"{self.requirement}, {self.starts} to {self.ends}"


class PopulationReview(ConfirmsDay):
    """What somebody said of a population. Its drawer may withdraw it, not judge it."""

    append_only = True

    population = models.ForeignKey(Population, models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # copied from the population so that the database can compare them
    drawer = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reason = models.TextField(blank=True, default="")
    reviewer_name = models.CharField(max_length=200)
    decision = models.CharField(max_length=10, choices=PopulationState)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="population_decision_known",
                condition=Q(decision__in=["accepted", "rejected", "withdrawn"]),
            ),
            models.CheckConstraint(
                name="population_reviewer_is_not_drawer",
                condition=Q(decision="withdrawn") | ~Q(reviewer=F("drawer")),
                violation_error_message=(
                    "Somebody other than who drew it must review this."
                ),
            ),
            models.CheckConstraint(
                name="population_refusal_says_why",
                condition=Q(decision="accepted") | ~Q(reason=""),
                violation_error_message="Say why.",
            ),
            day_confirmed_says_where("population_day_confirmed_says_where"),
            models.UniqueConstraint(
                fields=["population"],
                condition=~Q(decision="withdrawn"),
                name="population_judged_once",
            ),
            models.UniqueConstraint(
                fields=["population"],
                condition=Q(decision="withdrawn"),
                name="population_withdrawn_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_decision_display()} by {self.reviewer_name}"


class PopulationItem(models.Model):
    """One event. `position` counts from 1 in the order of the file."""

    append_only = True

    population = models.ForeignKey(
        Population,
        models.PROTECT,
        related_name="items",
        db_index=False,  # both constraints begin with it
    )
    position = models.PositiveIntegerField()
    key = models.CharField(max_length=200)
    happened_on = models.DateField()
    columns = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["population", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["population", "position"], name="event_position_unique"
            ),
            models.UniqueConstraint(
                fields=["population", "key"], name="event_key_unique"
            ),
            models.CheckConstraint(
                name="event_position_from_one", condition=Q(position__gte=1)
            ),
            models.CheckConstraint(name="event_has_key", condition=~Q(key="")),
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.happened_on})"

    def cells(self) -> list[str]:
        """Its further columns in the order of the list it came from."""
        return [self.columns.get(name, "") for name in self.population.columns]
