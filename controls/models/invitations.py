"""Invitations by mail: a role in one system, offered to whoever reads an address."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from controls.models.engagements import Engagement
from controls.models.people import Actor, Role, Team

INVITATION_LIFE = dt.timedelta(days=7)
USER = settings.AUTH_USER_MODEL


class InvitationState(models.TextChoices):
    """What became of an invitation. Too old is computed, never stored."""

    OPEN = "open", "Open"
    ACCEPTED = "accepted", "Accepted"
    WITHDRAWN = "withdrawn", "Withdrawn"


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Invitations."""

    def visible_to(self, user: Actor) -> Self:
        """Those of the systems of which the user is an officer."""
        from controls.models.systems import System

        return self.filter(system__in=System.objects.officered_by(user))


class Invitation(models.Model):
    """A role offered to an address. `starts_on` and `last_day` are both inclusive.

    Life cycle: open -> accepted | withdrawn, through the verbs of
    `controls.accounts.invitations`. It says nothing about whether the address has an
    account: whoever invites is not told, and the same mail goes out.
    """

    keeps_history = True

    system = models.ForeignKey(
        "controls.System", models.PROTECT, related_name="invitations"
    )
    invited_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    team = models.ForeignKey(Team, models.PROTECT, null=True, blank=True)
    # null: only auditors are bound to an engagement
    engagement = models.ForeignKey(Engagement, models.PROTECT, null=True, blank=True)
    # null: nobody has accepted it
    membership = models.OneToOneField(
        "controls.Membership",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="invitation",
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    address = models.EmailField("e-mail address")
    role = models.CharField(max_length=12, choices=Role)
    starts_on = models.DateField()
    # null: until further notice
    last_day = models.DateField(null=True, blank=True)
    state = models.CharField(
        max_length=10,
        choices=InvitationState,
        default=InvitationState.OPEN,
        editable=False,
    )
    invited_at = models.DateTimeField(editable=False)
    # how many mails were tried; only the link of the newest counts
    mails = models.PositiveSmallIntegerField(default=0, editable=False)
    # null: the newest mail could not be sent
    mailed_at = models.DateTimeField(null=True, editable=False)
    # null: it is open
    ended_at = models.DateTimeField(null=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="invitation_role_known", condition=Q(role__in=Role.values)
            ),
            models.CheckConstraint(
                name="invitation_state_known",
                condition=Q(state__in=InvitationState.values),
            ),
            models.CheckConstraint(
                name="invitation_ended_unless_open",
                condition=Q(state="open", ended_at=None)
                | (~Q(state="open") & Q(ended_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="invitation_accepted_with_its_role",
                condition=Q(state="accepted", membership__isnull=False)
                | (~Q(state="accepted") & Q(membership=None)),
            ),
            models.CheckConstraint(
                name="invitation_days_ordered",
                condition=Q(last_day=None) | Q(last_day__gte=F("starts_on")),
                violation_error_message="The last day is before the first.",
            ),
            models.UniqueConstraint(
                Lower("address"),
                "system",
                "role",
                condition=Q(state="open"),
                name="invitation_open_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.address}, {self.get_role_display()} of {self.system}"

    @property
    def link_ends_at(self) -> dt.datetime | None:
        """From this instant on the link counts no more; None: no mail has gone out."""
        return self.mailed_at + INVITATION_LIFE if self.mailed_at else None
