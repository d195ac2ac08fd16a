"""Systems, the components they use, and the controls they must implement."""

from __future__ import annotations

import datetime as dt
import uuid
import zoneinfo
from collections.abc import Iterable
from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.contrib.postgres.fields.ranges import DateRangeField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, F, Func, OuterRef, Q
from django.utils import timezone

from controls.models.people import Actor, Membership, Role, Team


class Regime(models.TextChoices):
    """The rules under which the system is audited."""

    FEDRAMP = "fedramp", "FedRAMP"
    SOC2 = "soc2", "SOC 2"
    PCI = "pci", "PCI DSS"
    ISO = "iso", "ISO 27001"
    HIPAA = "hipaa", "HIPAA"
    NONE = "none", "None"


class ImpactLevel(models.TextChoices):
    """FIPS 199 impact level of the system."""

    LI_SAAS = "li-saas", "LI-SaaS"
    LOW = "low", "Low"
    MODERATE = "moderate", "Moderate"
    HIGH = "high", "High"


class Partition(models.TextChoices):
    """The AWS partition that holds the system's accounts."""

    COMMERCIAL = "aws", "AWS (commercial)"
    GOVCLOUD = "aws-us-gov", "AWS GovCloud (US)"
    CHINA = "aws-cn", "AWS China"


def partition_of(region: str) -> Partition:
    """The partition that a region lies in, by the region's code (`us-gov-west-1`)."""
    if region.startswith("us-gov-"):
        return Partition.GOVCLOUD
    return Partition.CHINA if region.startswith("cn-") else Partition.COMMERCIAL


class ImplementationStatus(models.TextChoices):
    """How far our part of a control is implemented (FedRAMP's words)."""

    IMPLEMENTED = "implemented", "Implemented"
    PARTIAL = "partial", "Partially implemented"
    PLANNED = "planned", "Planned"
    ALTERNATIVE = "alternative", "Alternative implementation"


def worst_of(statuses: Iterable[str]) -> str:
    """The status farthest from done; `implemented` of none at all."""
    order = [
        ImplementationStatus.PLANNED,
        ImplementationStatus.PARTIAL,
        ImplementationStatus.ALTERNATIVE,
    ]
    said = set(statuses)
    found = (each for each in order if each in said)
    return next(found, ImplementationStatus.IMPLEMENTED).value


class Applicability(models.TextChoices):
    """Whether a control has an object in the system; decided by two people."""

    APPLICABLE = "applicable", "Applicable"
    REQUESTED = "na-requested", "Not applicable (requested)"
    NOT_APPLICABLE = "not-applicable", "Not applicable"


def validate_time_zone(name: str) -> None:
    """Refuse a name that the time zone database does not know."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(
            f"“{name}” is not a time zone name, such as Europe/Paris."
        )


class SystemQuerySet(models.QuerySet["System"]):
    """Systems; the root of what a person may read."""

    def visible_to(self, user: Actor, at: dt.datetime | None = None) -> Self:
        """Systems in which the user holds a role now; all for a superuser."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        return self.held_as(user, list(Role), at)

    def held_as(
        self, user: Actor, roles: list[Role], at: dt.datetime | None = None
    ) -> Self:
        """Systems in which the user holds one of these roles at an instant.

        None for a closed account. A superuser holds no role by being one.
        """
        if not user.is_active:
            return self.none()
        at = at or timezone.now()
        in_force = Q(memberships__ends_at=None) | Q(memberships__ends_at__gt=at)
        return self.filter(
            in_force,
            memberships__user=user,
            memberships__role__in=roles,
            memberships__starts_at__lte=at,
        ).distinct()

    def officered_by(self, user: Actor) -> Self:
        """Systems in which the user may do what officers may: all for a superuser."""
        if user.is_superuser and user.is_active:
            return self
        return self.held_as(user, [Role.OFFICER])

    def for_listing(self) -> Self:
        """With what a row of the list shows."""
        return self.select_related("baseline").order_by("name")


class System(models.Model):
    """An authorization boundary. Its audit window's days are both inclusive."""

    keeps_history = True

    baseline = models.ForeignKey(
        "controls.Baseline", models.PROTECT, related_name="systems"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    description = models.TextField(blank=True, default="")
    regime = models.CharField(max_length=10, choices=Regime)
    impact_level = models.CharField(max_length=10, choices=ImpactLevel)
    partition = models.CharField(
        max_length=12, choices=Partition, default=Partition.COMMERCIAL
    )
    time_zone = models.CharField(
        max_length=60, default="UTC", validators=[validate_time_zone]
    )
    window_start = models.DateField()
    window_end = models.DateField()
    own_code = models.BooleanField(
        default=True, help_text="The system runs application code of your own."
    )
    currency_days = models.PositiveSmallIntegerField(
        default=90,
        help_text="Days for which AWS's newest report counts as current after its end.",
    )
    demo = models.BooleanField(default=False, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = SystemQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                name="system_window_ordered",
                condition=Q(window_start__lte=F("window_end")),
                violation_error_message="The audit window must end after it starts.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone in which the system's days begin and end."""
        return zoneinfo.ZoneInfo(self.time_zone)

    def day_of(self, instant: dt.datetime) -> dt.date:
        """The system's calendar day on which an instant falls."""
        return instant.astimezone(self.zone).date()

    def end_of_day(self, day: dt.date) -> dt.datetime:
        """The first instant after `day` in the system's zone (exclusive bound)."""
        return dt.datetime.combine(
            day + dt.timedelta(days=1), dt.time(), tzinfo=self.zone
        )


class SystemComponentQuerySet(models.QuerySet["SystemComponent"]):
    """What systems use."""

    def visible_to(self, user: Actor) -> Self:
        """Components of the systems the user may read."""
        return self.filter(system__in=System.objects.visible_to(user))

    def with_layers(self) -> Self:
        """With service, variant and the variant's layers, in two queries."""
        return self.select_related("variant__service").prefetch_related(
            "variant__layers"
        )


class SystemComponent(models.Model):
    """A service (or other component) in use, from a day until a day (exclusive)."""

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="components")
    variant = models.ForeignKey(
        "controls.ServiceVariant", models.PROTECT, related_name="uses"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120, blank=True, default="")
    regions = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    used_from = models.DateField()
    # null: still in use
    used_until = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = SystemComponentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="component_use_ordered",
                condition=Q(used_until=None) | Q(used_until__gt=F("used_from")),
                violation_error_message="Use must end after it starts.",
            ),
            ExclusionConstraint(
                name="component_used_once_at_a_time",
                expressions=[
                    (
                        Func(
                            "used_from",
                            "used_until",
                            function="DATERANGE",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    ("system", RangeOperators.EQUAL),
                    ("variant", RangeOperators.EQUAL),
                    ("name", RangeOperators.EQUAL),
                ],
                violation_error_message=(
                    "This component is already in use on some of these days."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name or str(self.variant)


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
        found = self
        if family:
            found = found.filter(control__family=family)
        if responsibility:
            found = found.filter(responsibility=responsibility)
        if team:
            found = found.filter(owner_team__slug=team)
        if text:
            wanted = text.strip()
            found = found.filter(
                Q(control__label__istartswith=wanted)
                | Q(control__ref_id__istartswith=wanted)
                | Q(control__title__icontains=wanted)
            )
        return found


class ControlImplementation(models.Model):
    """A control of the baseline in one system, and how far our part of it is.

    `responsibility` and `decision` repeat the decision in force today for lists;
    the decisions themselves are the record.
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
        default=ImplementationStatus.IMPLEMENTED,
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
