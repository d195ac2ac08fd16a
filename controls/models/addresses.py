"""Addresses that people asked to change to, until they confirm or withdraw them."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils import timezone

from controls.models.people import Actor, User

LINK_LIFE = dt.timedelta(days=3)


class AddressChangeState(models.TextChoices):
    """What became of a wish for another address."""

    PENDING = "pending", "Waits for confirmation"
    CONFIRMED = "confirmed", "Confirmed"
    WITHDRAWN = "withdrawn", "Withdrawn"


class AddressChangeQuerySet(models.QuerySet["AddressChange"]):
    """Changes of addresses."""

    def visible_to(self, user: Actor) -> Self:
        """One's own; all for a superuser."""
        return self if user.is_superuser else self.filter(user=user.pk)

    def open_for(self, user: Actor, now: dt.datetime) -> Self:
        """What `user` may still confirm at an instant: one change at most.

        The link is too old after `LINK_LIFE`, and void once the address it was to
        replace is no longer the user's.
        """
        return self.filter(
            user=user.pk,
            replaces=user.email,
            state=AddressChangeState.PENDING,
            requested_at__gt=now - LINK_LIFE,
        )


class AddressChange(models.Model):
    """A person's wish for another e-mail address.

    Life cycle: pending -> confirmed | withdrawn, through the verbs of
    `controls.accounts.addresses`. Until it is confirmed the address counts for
    nothing: nobody signs in with it, and no mail but the one with the link goes there.
    """

    user = models.ForeignKey(User, models.PROTECT, related_name="address_changes")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    address = models.EmailField("new address")
    replaces = models.EmailField("address until then")
    state = models.CharField(
        max_length=10,
        choices=AddressChangeState,
        default=AddressChangeState.PENDING,
        editable=False,
    )
    requested_at = models.DateTimeField(default=timezone.now, editable=False)
    # null: neither confirmed nor withdrawn
    ended_at = models.DateTimeField(null=True, editable=False)

    objects = AddressChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="address_change_state_known",
                condition=Q(state__in=AddressChangeState.values),
            ),
            models.CheckConstraint(
                name="address_change_ended_unless_pending",
                condition=Q(state="pending", ended_at=None)
                | (~Q(state="pending") & Q(ended_at__isnull=False)),
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(state="pending"),
                name="address_change_pending_once_per_person",
            ),
        ]

    def __str__(self) -> str:
        return self.address

    @property
    def link_ends_at(self) -> dt.datetime:
        """From this instant on the link in the mail counts no more."""
        return self.requested_at + LINK_LIFE
