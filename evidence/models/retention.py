"""How long evidence is kept, and what holds it longer."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Func, Q

from controls.models import Actor, RetrospectiveChange, System
from evidence.models.evidence import Evidence

USER = settings.AUTH_USER_MODEL
# Of a system that never chose: what most audits ask for. `srm_retention` in
# `controls.history.retention` names the same number.
DEFAULT_RETENTION_YEARS = 7
MAX_RETENTION_YEARS = 100


class RetentionClassQuerySet(models.QuerySet["RetentionClass"]):
    """For how long systems keep evidence."""

    def visible_to(self, user: Actor) -> Self:
        """Of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def newest_first(self) -> Self:
        """With all that a row shows; the first one of a system holds."""
        people = ("change__requested_by", "change__decided_by")
        return self.select_related("system", *people).order_by("-pk")


class RetentionClass(models.Model):
    """For how many years a system keeps evidence; its newest row holds.

    Written by the approval of a change that two officers made. A system without any
    keeps evidence for DEFAULT_RETENTION_YEARS.
    """

    append_only = True

    system = models.ForeignKey(System, models.PROTECT, related_name="retention_classes")
    change = models.OneToOneField(
        RetrospectiveChange, models.PROTECT, related_name="retention_class"
    )
    years = models.PositiveSmallIntegerField()
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = RetentionClassQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "retention classes"
        constraints = [
            models.CheckConstraint(
                name="retention_class_has_years",
                condition=Q(years__gte=1, years__lte=MAX_RETENTION_YEARS),
                violation_error_message=(
                    f"Evidence is kept for 1 to {MAX_RETENTION_YEARS} years."
                ),
            )
        ]

    def __str__(self) -> str:
        return f"{self.years} {'year' if self.years == 1 else 'years'}"


class LegalHoldQuerySet(models.QuerySet["LegalHold"]):
    """Legal holds."""

    def visible_to(self, user: Actor) -> Self:
        """Of the systems where the user is an officer: a dispute is not for all."""
        return self.filter(system__in=System.objects.officered_by(user))

    def standing(self) -> Self:
        """Those that nobody has lifted."""
        return self.filter(lifted_by=None)

    def over(self, evidence: Evidence) -> Self:
        """Those that stand over one piece of evidence, by itself or its system's."""
        of_it = Q(evidence=evidence) | Q(evidence=None, system=evidence.system_id)
        return self.standing().filter(of_it)

    def for_listing(self) -> Self:
        """With all that a row shows, standing ones first."""
        return self.select_related(
            "system", "evidence", "placed_by", "lifted_by"
        ).order_by(F("lifted_at").desc(nulls_first=True), "-pk")


class LegalHold(models.Model):
    """Bytes that nobody may destroy, however old: placed by one officer, lifted by
    another. Once placed only its lifting is written; a lifted one stays so.
    """

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="legal_holds")
    # null: it stands over all evidence of the system, and what comes later
    evidence = models.ForeignKey(
        Evidence, models.PROTECT, null=True, blank=True, related_name="legal_holds"
    )
    placed_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: it stands
    lifted_by = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reason = models.TextField()
    lift_reason = models.TextField(blank=True, default="")
    # null: it stands
    lifted_at = models.DateTimeField(null=True, blank=True, editable=False)
    placed_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = LegalHoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="legal_hold_lifted_by_another",
                condition=Q(lifted_by=None) | ~Q(lifted_by=F("placed_by")),
                violation_error_message=(
                    "A legal hold is lifted by an officer who did not place it."
                ),
            ),
            models.CheckConstraint(
                name="legal_hold_says_why",
                condition=~Q(reason=""),
                violation_error_message="Say why it must be kept.",
            ),
            models.CheckConstraint(
                name="legal_hold_lifted_with_a_reason",
                condition=Q(lifted_by=None, lifted_at=None, lift_reason="")
                | Q(lifted_by__isnull=False, lifted_at__isnull=False)
                & ~Q(lift_reason=""),
                violation_error_message="Say why it need not be kept any longer.",
            ),
        ]

    def __str__(self) -> str:
        return f"Legal hold on {self.evidence or self.system}"


class KeptUntil(Func):
    """The last day on which evidence (its key) must be kept, inclusive.

    9999-12-31 while it proves something without an end, or an audit of its days runs.
    """

    template = (
        "(SELECT k.kept_until FROM srm_retention() k"
        " WHERE k.evidence_id = %(expressions)s)"
    )
    output_field = models.DateField()


class IsHeld(Func):
    """Whether a legal hold stands over evidence (its key)."""

    template = (
        "(SELECT k.held FROM srm_retention() k WHERE k.evidence_id = %(expressions)s)"
    )
    output_field = models.BooleanField()


class ListKeptUntil(Func):
    """The last day on which a list of events (its key) must be kept, inclusive."""

    template = (
        "(SELECT k.kept_until FROM srm_list_retention() k"
        " WHERE k.population_id = %(expressions)s)"
    )
    output_field = models.DateField()
