"""The controls of a system: whose they are, whether they apply, how far we are."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Self

from django.db import models
from django.db.models import Exists, OuterRef, Q

from controls.models.people import Actor, Membership, Role, Team
from controls.models.systems import System


class ImplementationStatus(models.TextChoices):
    """How far our part of a control is implemented (FedRAMP's words).

    `NOT_STATED` is what holds on days of which nobody has said anything.
    """

    NOT_STATED = "not-stated", "Not stated"
    IMPLEMENTED = "implemented", "Implemented"
    PARTIAL = "partial", "Partially implemented"
    PLANNED = "planned", "Planned"
    ALTERNATIVE = "alternative", "Alternative implementation"


def worst_of(statuses: Iterable[str]) -> str:
    """The status farthest from done, where what nobody has said is farthest;
    `implemented` of none at all."""
    order = [
        ImplementationStatus.NOT_STATED,
        ImplementationStatus.PLANNED,
        ImplementationStatus.PARTIAL,
        ImplementationStatus.ALTERNATIVE,
    ]
    present = set(statuses)
    worst_first = (status for status in order if status in present)
    return next(worst_first, ImplementationStatus.IMPLEMENTED).value


class Applicability(models.TextChoices):
    """Whether a control has an object in the system; decided by two people."""

    APPLICABLE = "applicable", "Applicable"
    REQUESTED = "na-requested", "Not applicable (requested)"
    NOT_APPLICABLE = "not-applicable", "Not applicable"


class ControlImplementationQuerySet(models.QuerySet["ControlImplementation"]):
    """Controls as the systems implement them."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def describable_by(self, user: Actor) -> Self:
        """Controls of which the user may describe our part.

        `controls.access.may_describe` lets the same people.
        """
        roles = Membership.objects.active().filter(
            user=user.pk, role=Role.CONTRIBUTOR, system=OuterRef("system")
        )
        own = roles.filter(team=OuterRef("owner_team"))
        officered = System.objects.officered_by(user)
        return self.filter(Q(system__in=officered) | Q(Exists(own)))

    def in_catalog_order(self) -> Self:
        """As the catalog prints them."""
        return self.order_by("control__sort_order")

    def for_listing(self) -> Self:
        """With what a row of the control list shows."""
        return self.select_related(
            "control", "owner_team", "decision", "system"
        ).in_catalog_order()

    def matching(
        self,
        *,
        family: str = "",
        responsibility: str = "",
        team: str = "",
        text: str = "",
    ) -> Self:
        """Narrowed by the filters of the control list; empty means any."""
        rows = self
        if family:
            rows = rows.filter(control__family=family)
        if responsibility:
            rows = rows.filter(responsibility=responsibility)
        if team:
            rows = rows.filter(owner_team__slug=team)
        if text:
            words = text.strip()
            rows = rows.filter(
                Q(control__label__istartswith=words)
                | Q(control__ref_id__istartswith=words)
                | Q(control__title__icontains=words)
                | Q(control__summary__icontains=words)
            )
        return rows


class ControlImplementation(models.Model):
    """A control of the baseline in one system, and how far our part of it is.

    `responsibility` and `decision` repeat the decision in force today for lists, the
    two about status the statement that holds today; decisions and statements
    themselves are the record.
    """

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="implementations")
    control = models.ForeignKey(
        "controls.Control", models.PROTECT, related_name="implementations"
    )
    # null: nobody is named yet
    owner_team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="implementations"
    )
    # null: only while the system is being created
    decision = models.ForeignKey(
        "controls.ResponsibilityDecision",
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    responsibility = models.CharField(max_length=12, default="", editable=False)
    implementation_status = models.CharField(
        max_length=12,
        choices=ImplementationStatus,
        default=ImplementationStatus.NOT_STATED,
    )
    part_statuses = models.JSONField(
        default=dict,
        blank=True,
        help_text="Statuses of parts that differ, by statement id.",
    )
    applicability = models.CharField(
        max_length=14,
        choices=Applicability,
        default=Applicability.APPLICABLE,
        editable=False,
    )
    customer_statement = models.TextField(blank=True, default="")
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ControlImplementationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["system", "control"], name="control_implemented_once_in_system"
            ),
            models.CheckConstraint(
                name="implementation_status_known",
                condition=Q(implementation_status__in=ImplementationStatus.values),
            ),
            models.CheckConstraint(
                name="applicability_known",
                condition=Q(applicability__in=Applicability.values),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.control.label} in {self.system.name}"

    @property
    def worst_status(self) -> str:
        """The status of the control: its worst part's."""
        return worst_of([self.implementation_status, *self.part_statuses.values()])
