"""Systems, and the components that they use from day to day."""

from __future__ import annotations

import datetime as dt
import functools
import uuid
import zoneinfo
from collections.abc import Iterable
from typing import Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.contrib.postgres.fields.ranges import DateRangeField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone

from controls.models.held_roles import systems_held
from controls.models.people import Actor, Role


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


@functools.cache
def _time_zones() -> frozenset[str]:
    """Their names; the database is a folder of files, and reading it takes 25 ms."""
    return frozenset(zoneinfo.available_timezones())


def validate_time_zone(name: str) -> None:
    """Refuse a name that the time zone database does not know."""
    if name not in _time_zones():
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

    def called(self, name: str) -> Self:
        """Systems of this name, however it is capitalized."""
        return self.filter(name__iexact=name.strip())

    def keys_visible_to(self, user: Actor) -> Self | list[int]:
        """The same for `system__in`: by their keys where the person's roles are read,
        which spares PostgreSQL a table to plan for."""
        visible = self.visible_to(user)
        if user.is_superuser or not user.is_authenticated or not user.is_active:
            return visible
        keys = systems_held(user, list(Role))
        return visible if keys is None else keys

    def held_as(
        self, user: Actor, roles: list[Role], at: dt.datetime | None = None
    ) -> Self:
        """Systems in which the user holds one of these roles at an instant.

        None for a closed account. A superuser holds no role by being one.
        """
        if not user.is_active:
            return self.none()
        keys = systems_held(user, roles) if at is None else None
        if keys is not None:
            return self.filter(pk__in=keys)
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
    letter_months = models.PositiveSmallIntegerField(
        default=3,
        db_default=3,
        help_text="How many months after a report's period a letter counts, at most.",
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


def systems_by_day(
    systems: Iterable[System], instant: dt.datetime
) -> dict[dt.date, list[System]]:
    """Systems by the calendar day that it is there, of which there are at most three.

    What is asked of a day is asked once for each of them, however many systems.
    """
    days: dict[dt.date, list[System]] = {}
    for system in systems:
        days.setdefault(system.day_of(instant), []).append(system)
    return days


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
    # null: its days were never changed in retrospect; else the last such change
    change = models.ForeignKey(
        "controls.RetrospectiveChange",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="components",
        editable=False,
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120, blank=True, default="")
    # of AWS: regions; of a third party: its sites, such as FRA1
    regions = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    # "": AWS, or the third party that goes by the service's own name
    provided_by = models.CharField(max_length=60, blank=True, default="", db_default="")
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
