"""Users, teams, and who may do what in which system, and until when.

One file: accounts and teams and both kinds of roles are one vocabulary.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any, ClassVar, Self, TypeAlias

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

MAX_AUDITOR_GRANT = dt.timedelta(days=90)


class UserManager(BaseUserManager["User"]):
    """Creates accounts; the e-mail address is the name to sign in with."""

    use_in_migrations = True

    def create_user(
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        """A saved account; without a password it can only sign in elsewhere."""
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(
        self, email: str, password: str | None = None, **fields: Any
    ) -> User:
        """An account that administers the whole installation."""
        return self.create_user(
            email, password, is_staff=True, is_superuser=True, **fields
        )


class User(AbstractUser):
    """A person. Deactivated when they leave, never deleted."""

    keeps_history = True

    username = None  # type: ignore[assignment]
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField(max_length=150, blank=True, default="")
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects = UserManager()  # type: ignore[misc,assignment]

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        """The name shown on pages; the address where none was given."""
        return str(self)

    def get_short_name(self) -> str:
        """Same as the full name: names are not split."""
        return str(self)


# Whoever acts or reads: always a signed-in person, never a request or a name.
Actor: TypeAlias = User


def _held(starts_at: str, ends_at: str) -> Func:
    """The time between two columns, the end exclusive; without one it never ends."""
    bounds = Value("[)")
    time = DateTimeRangeField()
    return Func(starts_at, ends_at, bounds, function="tstzrange", output_field=time)


class Team(models.Model):
    """A group that owns controls. Belongs to the installation, not to a system."""

    keeps_history = True

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(max_length=60, unique=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    """What a person is in one system."""

    OFFICER = "officer", "Compliance officer"
    CONTRIBUTOR = "contributor", "Contributor"
    REVIEWER = "reviewer", "Reviewer"
    AUDITOR = "auditor", "Auditor"
    READER = "reader", "Read only"


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Who holds which role."""

    def active(self, at: dt.datetime | None = None) -> Self:
        """Memberships in force at an instant (default: now); the end is exclusive."""
        at = at or timezone.now()
        return self.filter(
            Q(starts_at__lte=at) & (Q(ends_at=None) | Q(ends_at__gt=at)),
            user__is_active=True,
        )

    def of_other_officers(self, system: models.Model, by: Actor) -> Self:
        """Officers of a system who could agree to what `by` asks for, now."""
        officers = self.active().filter(system=system, role=Role.OFFICER)
        return officers.exclude(user=by)

    def visible_to(self, user: Actor) -> Self:
        """Memberships of the systems the user may read."""
        from controls.models.systems import System

        return self.filter(system__in=System.objects.visible_to(user))


def _refuse_backwards(
    role: Membership | InstallationRole, exclude: Collection[str]
) -> None:
    """Before others of that time are looked for: PostgreSQL makes no range of it."""
    if "starts_at" in exclude or "ends_at" in exclude:
        return
    if role.ends_at is not None and role.ends_at <= role.starts_at:
        raise ValidationError("A role ends after it begins.")


class Membership(models.Model):
    """A role of one person in one system, for a time.

    Nobody holds a role twice at a time. Auditors are let in for one engagement and for
    at most 90 days at a time, and into a system once at a time (AC-05).
    """

    keeps_history = True

    system = models.ForeignKey(
        "controls.System", models.PROTECT, related_name="memberships"
    )
    user = models.ForeignKey(User, models.PROTECT, related_name="memberships")
    # null: officers and auditors act for no team
    team = models.ForeignKey(
        Team, models.PROTECT, null=True, blank=True, related_name="memberships"
    )
    # null: only auditors are bound to an engagement
    engagement = models.ForeignKey(
        "controls.Engagement",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="memberships",
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    role = models.CharField(max_length=12, choices=Role)
    starts_at = models.DateTimeField(default=timezone.now)
    # exclusive; null: until further notice
    ends_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="membership_role_known", condition=Q(role__in=Role.values)
            ),
            models.CheckConstraint(
                name="membership_ends_after_it_starts",
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                violation_error_message="A membership must end after it starts.",
            ),
            models.CheckConstraint(
                name="membership_auditor_bound_to_engagement",
                condition=~Q(role="auditor")
                | Q(engagement__isnull=False, ends_at__isnull=False),
                violation_error_message=(
                    "An auditor is let in for one engagement and until a set day."
                ),
            ),
            models.CheckConstraint(
                name="membership_auditor_at_most_90_days",
                condition=~Q(role="auditor")
                | Q(ends_at__lte=F("starts_at") + MAX_AUDITOR_GRANT),
                violation_error_message="An auditor is let in for 90 days at most.",
            ),
            models.CheckConstraint(
                name="membership_contributor_has_team",
                condition=~Q(role="contributor") | Q(team__isnull=False),
                violation_error_message="A contributor belongs to a team.",
            ),
            ExclusionConstraint(
                name="membership_auditor_once_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("system", RangeOperators.EQUAL),
                    (_held("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(role="auditor"),
                violation_error_message="This auditor is let in at that time already.",
            ),
            ExclusionConstraint(
                name="membership_once_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("system", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (
                        Coalesce("team", 0, output_field=models.BigIntegerField()),
                        RangeOperators.EQUAL,
                    ),
                    (_held("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                violation_error_message=(
                    "This person holds that role at that time already."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()} of {self.system}"

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """As Django does, of days in order."""
        _refuse_backwards(self, exclude or ())
        super().validate_constraints(exclude)


class InstallationRoleName(models.TextChoices):
    """What a person is in the installation, beside any role in a system."""

    OFFICER = "officer", "Officer of the installation"
    REGISTRAR = "registrar", "Registrar of reports"


class InstallationRoleQuerySet(models.QuerySet["InstallationRole"]):
    """Who holds which role of the installation."""

    def active(self, at: dt.datetime | None = None) -> Self:
        """Roles in force at an instant (default: now); the end is exclusive.

        A closed account holds none.
        """
        at = at or timezone.now()
        return self.filter(
            Q(starts_at__lte=at) & (Q(ends_at=None) | Q(ends_at__gt=at)),
            user__is_active=True,
        )

    def visible_to(self, user: Actor) -> Self:
        """All for superusers and officers of the installation; else one's own."""
        officers = InstallationRole.objects.active().filter(
            user=user.pk, role=InstallationRoleName.OFFICER
        )
        if user.is_superuser or officers.exists():
            return self
        return self.filter(user=user.pk)


class InstallationRole(models.Model):
    """A role of one person in the installation, for a time.

    Officers of the installation describe new systems and give these roles; registrars
    keep the register of reports, which all systems share. Given and ended by
    `controls.installation_roles`, never deleted.
    """

    keeps_history = True

    user = models.ForeignKey(
        User, models.PROTECT, related_name="installation_roles", verbose_name="person"
    )
    # null: by a command or the upgrade that made these roles
    given_by = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    role = models.CharField(max_length=12, choices=InstallationRoleName)
    starts_at = models.DateTimeField("from", default=timezone.now)
    # exclusive; null: until further notice
    ends_at = models.DateTimeField("until", null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = InstallationRoleQuerySet.as_manager()

    class Meta:
        verbose_name = "role of the installation"
        verbose_name_plural = "roles of the installation"
        constraints = [
            models.CheckConstraint(
                name="installation_role_known",
                condition=Q(role__in=InstallationRoleName.values),
            ),
            models.CheckConstraint(
                name="installation_role_ends_after_it_starts",
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                violation_error_message="A role must end after it starts.",
            ),
            models.CheckConstraint(
                name="installation_role_given_by_another",
                condition=Q(given_by=None) | ~Q(given_by=F("user")),
                violation_error_message="Nobody gives a role to themselves.",
            ),
            ExclusionConstraint(
                name="installation_role_once_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    (_held("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                violation_error_message="This person holds that role at that time.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}"

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """As Django does, of days in order."""
        _refuse_backwards(self, exclude or ())
        super().validate_constraints(exclude)
