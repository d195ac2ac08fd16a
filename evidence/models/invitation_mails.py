"""Mails with the link of an invitation, on their way."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import Q

from controls.models import Invitation
from evidence.jobs.models import LeasedJob
from evidence.models.notices import MailState


class InvitationMail(LeasedJob):
    """One mail of an invitation, written with it and sent after commit.

    queued -> sending -> sent | failed | dropped; failed -> sending, some times; sending
    -> queued while the mail server is away. `error` says why. Dropped: before it left,
    the invitation was withdrawn or accepted, or a newer mail took its place.
    """

    reason_field: ClassVar[str] = "error"

    invitation = models.ForeignKey(
        Invitation, models.PROTECT, related_name="queued_mails"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # which of the invitation's mails: its `mails` when it was written
    number = models.PositiveSmallIntegerField()
    state = models.CharField(
        max_length=8, choices=MailState, default=MailState.QUEUED, editable=False
    )
    error = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField()
    # null: not sent
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["invitation", "number"], name="invitation_mail_once"
            ),
            models.CheckConstraint(
                name="invitation_mail_state_known",
                condition=Q(state__in=MailState.values),
            ),
        ]

    def __str__(self) -> str:
        return f"Mail {self.number} to {self.invitation.address}"
