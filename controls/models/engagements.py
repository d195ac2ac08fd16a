"""An audit: who audits what, over which window."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q

from controls.models.held_roles import held_roles
from controls.models.people import Actor, Role


class EngagementKind(models.TextChoices):
    """What kind of opinion the audit ends in."""

    TYPE1 = "type1", "SOC 2 Type I"
    TYPE2 = "type2", "SOC 2 Type II"
    FEDRAMP_INITIAL = "fr-initial", "FedRAMP initial assessment"
    FEDRAMP_ANNUAL = "fr-annual", "FedRAMP annual assessment"
    FEDRAMP = "fedramp", "FedRAMP assessment"
    ISO = "iso", "ISO 27001 audit"
    PCI = "pci", "PCI DSS assessment"
    INTERNAL = "internal", "Internal audit"
    OTHER = "other", "Other"


class EngagementQuerySet(models.QuerySet["Engagement"]):
    """Audits."""

    def visible_to(self, user: Actor) -> Self:
        """Engagements of the systems the user may read."""
        from controls.models.systems import System

        return self.filter(system__in=System.objects.visible_to(user))

    def audited_by(self, user: Actor) -> Self:
        """Those that the user audits now; superusers audit none."""
        held = held_roles(user)
        if held is not None:
            mine = [one.engagement for one in held if one.role == Role.AUDITOR]
            return self.filter(pk__in=mine, ended_at=None)
        grants = user.memberships.active().filter(role=Role.AUDITOR)
        return self.filter(pk__in=grants.values("engagement"), ended_at=None)

    def open_to(self, user: Actor) -> Self:
        """Those whose audit pages the user may read: auditors their own, while let in,
        and officers all of their systems."""
        if user.is_superuser:
            return self
        from controls.models.systems import System

        audited = Engagement.objects.audited_by(user)
        officered = System.objects.officered_by(user)
        return self.filter(
            Q(pk__in=audited.values("pk")) | Q(system__in=officered.values("pk"))
        )


class Engagement(models.Model):
    """One audit, in one system. The window's days are both inclusive.

    An audit of several systems is one of these in each, which share `audit`: people are
    let into systems. Made, renewed and ended by `controls.engagements`. Who audits is
    told by its memberships, each for at most 90 days; which controls it is about by the
    newest of its `scopes`.
    """

    keeps_history = True

    system = models.ForeignKey(
        "controls.System", models.PROTECT, related_name="engagements"
    )
    # the same in all systems of one audit
    audit = models.UUIDField(
        default=uuid.uuid4, db_default=RandomUUID(), editable=False
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=EngagementKind)
    firm = models.CharField(max_length=200)
    window_start = models.DateField()
    window_end = models.DateField()
    # null: it runs; nobody is let in or marks anything after it
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = EngagementQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="engagement_window_ordered",
                condition=Q(window_start__lte=F("window_end")),
                violation_error_message="The audit window must end after it starts.",
            ),
            models.UniqueConstraint(
                fields=["audit", "system"],
                name="engagement_once_per_system",
                violation_error_message="This audit covers that system already.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class EngagementScope(models.Model):
    """Which controls an audit is about, from the instant it is recorded on; the newest
    holds. Where there is none, or it names none, it is all of the system's baseline.
    One that does not cover the system is the last: nothing of it was tested.

    Written by `controls.engagement_scope`. Once an auditor was let in, controls are
    taken out with a reason only, and only those that nobody has begun with.
    """

    append_only = True

    engagement = models.ForeignKey(Engagement, models.PROTECT, related_name="scopes")
    chosen_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # their ids in the catalog, such as `ac-2.1`, sorted; empty: the whole baseline
    controls = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    # false: the system is out of the audit
    covered = models.BooleanField(default=True, db_default=True)
    # why something was taken out; empty where nothing was
    reason = models.TextField(blank=True, default="", db_default="")
    # of whoever chose, as it was then; empty in rows of before
    chooser_name = models.CharField(
        max_length=200, blank=True, default="", db_default=""
    )
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="engagement_scope_taken_out_with_reason",
                condition=Q(covered=True) | ~Q(reason=""),
                violation_error_message="Say why the system is taken out of the audit.",
            ),
        ]

    def __str__(self) -> str:
        return f"Scope of {self.engagement}"
