"""Items drawn from a population, and those that were not handled as asked."""

from __future__ import annotations

import uuid
from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.utils import timezone

from controls.errors import TransitionNotAllowed
from controls.models import Actor, System
from evidence.models.populations import STANDING, Population, PopulationItem

USER = settings.AUTH_USER_MODEL


class SampleMethod(models.TextChoices):
    """How items were chosen; `sampling` says what each does."""

    RANDOM = "random", "At random"
    EVERY_NTH = "every-nth", "Every nth"
    ALL = "all", "All of them"
    BY_HAND = "by-hand", "By hand"


class SampleQuerySet(models.QuerySet["Sample"]):
    """Samples."""

    def visible_to(self, user: Actor) -> Self:
        """Samples of the populations the user may read."""
        return self.filter(population__in=Population.objects.visible_to(user))

    def for_listing(self) -> Self:
        """With all that a row shows, and the number of deviations."""
        return self.select_related(
            "drawn_by",
            "system",
            "population__team",
            "population__requirement__implementation__control",
            "population__requirement__implementation__owner_team",
            "population__requirement__implementation__system",
            "population__requirement__owner_team",
        ).annotate(deviating=Count("items__deviation"))


class Sample(models.Model):
    """Items of a population chosen to be shown one by one, reproducibly.

    `seed` stands for random; `every` and `first` for every nth.
    """

    append_only = True

    system = models.ForeignKey(System, models.PROTECT, related_name="samples")
    population = models.ForeignKey(Population, models.PROTECT, related_name="samples")
    drawn_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    method = models.CharField(max_length=10, choices=SampleMethod)
    size = models.PositiveIntegerField()
    seed = models.CharField(max_length=100, blank=True, default="")
    # null: the method does not count
    every = models.PositiveIntegerField(null=True, blank=True)
    first = models.PositiveIntegerField(null=True, blank=True)
    reason = models.TextField()
    drawn_at = models.DateTimeField(default=timezone.now)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = SampleQuerySet.as_manager()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="sample_method_known",
                condition=Q(method__in=SampleMethod.values),
            ),
            models.CheckConstraint(name="sample_not_empty", condition=Q(size__gte=1)),
            models.CheckConstraint(
                name="sample_says_why",
                condition=~Q(reason=""),
                violation_error_message="Say why it is this sample.",
            ),
            models.CheckConstraint(
                name="sample_can_be_drawn_again",
                condition=Q(method__in=["all", "by-hand"])
                | (Q(method="random") & ~Q(seed=""))
                | Q(method="every-nth", every__gte=1, first__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"Sample of {self.size} from {self.population}"


class SampleItemQuerySet(models.QuerySet["SampleItem"]):
    """Sampled items."""

    def visible_to(self, user: Actor) -> Self:
        """Items of the samples the user may read."""
        return self.filter(sample__in=Sample.objects.visible_to(user))

    def with_state(self) -> Self:
        """Each with `state` (accepted, submitted, rejected, open), `link_evidence`
        and `deviation_note`.

        Proof of the same event in another sample counts here as well.
        """
        from evidence.models.links import EvidenceLink

        links = EvidenceLink.objects.filter(
            sample_item__item=OuterRef("item"),
            state__in=["accepted", "submitted", "rejected"],
        )
        best = links.annotate(
            rank=models.Case(
                models.When(state="accepted", then=0),
                models.When(state="submitted", then=1),
                default=2,
            )
        ).order_by("rank", "-pk")
        failed = Deviation.objects.filter(sample_item__item=OuterRef("item"))
        return self.annotate(
            state=models.functions.Coalesce(
                Subquery(best.values("state")[:1]), models.Value("open")
            ),
            link_evidence=Subquery(best.values("revision__evidence__uuid")[:1]),
            deviation_note=Subquery(failed.order_by("pk").values("note")[:1]),
        )

    def for_listing(self) -> Self:
        """With event and state, in the order of the population."""
        return self.with_state().select_related("item").order_by("item__position")

    def for_upload(self) -> Self:
        """With all that an upload for one item reads."""
        return self.select_related("item", "sample__population")


class SampleItem(models.Model):
    """One event that was chosen and has to be shown."""

    append_only = True

    sample = models.ForeignKey(
        Sample,
        models.PROTECT,
        related_name="items",
        db_index=False,  # the constraint begins with it
    )
    item = models.ForeignKey(PopulationItem, models.PROTECT, related_name="sampled")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)

    state: str  # these are set by `with_state`
    link_evidence: Any
    deviation_note: str | None
    objects = SampleItemQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sample", "item"], name="sampled_once_per_sample"
            )
        ]

    def __str__(self) -> str:
        return str(self.item)

    def refuse_ended(self) -> None:
        """Raise TransitionNotAllowed where the list it was drawn from counts no more.

        Nothing new rests on a population that was rejected or withdrawn: what is shown
        or found for one of its events would count nowhere (R16).
        """
        drawn_from = Population.objects.with_state().get(samples=self.sample_id)
        if drawn_from.state not in STANDING:
            raise TransitionNotAllowed(
                f"The list that this was drawn from was {drawn_from.state}: it counts"
                " no more. Use the list that takes its place."
            )


class Deviation(models.Model):
    """A sampled event that was not handled as the control asks, and in what."""

    append_only = True

    system = models.ForeignKey(System, models.PROTECT, related_name="deviations")
    sample_item = models.OneToOneField(
        SampleItem, models.PROTECT, related_name="deviation"
    )
    recorded_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    note = models.TextField()
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="deviation_says_what",
                condition=~Q(note=""),
                violation_error_message="Say what was not as it should be.",
            )
        ]

    def __str__(self) -> str:
        return f"Deviation of {self.sample_item}"
