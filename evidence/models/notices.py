"""What people are told, by page and by mail, and whether a mail reached its server.

One file: a kind, its sentence and its urgency are read side by side.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from controls.models import Actor, Membership, System
from evidence.jobs.models import LeasedJob

USER = settings.AUTH_USER_MODEL


class NoticeKind(models.TextChoices):
    """What a notice is about."""

    DUE_SOON = "due-soon", "Due soon"
    OVERDUE = "overdue", "Overdue"
    ASKED_FIRST = "asked-first", "Asked for earlier days"
    ESCALATED = "escalated", "Overdue for long"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    TO_REVIEW = "to-review", "Waits for your review"
    TO_APPROVE = "to-approve", "Waits for your approval"
    TO_READ = "to-read", "AWS report to read"
    INFECTED = "infected", "Virus found"
    UNSCANNABLE = "unscannable", "Not scanned for viruses"
    ASKED = "asked", "Asked of you"
    ASKED_OVERDUE = "asked-overdue", "Request overdue"
    ANSWERED = "answered", "Your request was answered"
    RETURNED = "returned", "Your answer was returned"
    AUDIT_LOG = "audit-log", "Alarm of the audit log"
    DUTIES_CHANGED = "duties-changed", "Your team's duties changed"
    FINDING = "finding", "Finding to mend"
    FINDING_DUE = "finding-due", "Finding due soon"
    FINDING_LATE = "finding-late", "Finding overdue"
    RESPONSE_BACK = "response-back", "Your response was refused"


# These end by themselves once what they say is no longer so.
PASSING = (
    NoticeKind.DUE_SOON,
    NoticeKind.OVERDUE,
    NoticeKind.ASKED_FIRST,
    NoticeKind.ESCALATED,
    NoticeKind.TO_REVIEW,
    NoticeKind.TO_APPROVE,
    NoticeKind.TO_READ,
    NoticeKind.UNSCANNABLE,
    NoticeKind.ASKED,
    NoticeKind.ASKED_OVERDUE,
    NoticeKind.ANSWERED,
    NoticeKind.AUDIT_LOG,
    NoticeKind.DUTIES_CHANGED,
    NoticeKind.FINDING,
    NoticeKind.FINDING_DUE,
    NoticeKind.FINDING_LATE,
)
# Of these the person has something to do. What is due is counted by ask, not by notice.
WORK = (
    NoticeKind.TO_REVIEW,
    NoticeKind.TO_APPROVE,
    NoticeKind.TO_READ,
    NoticeKind.UNSCANNABLE,
    NoticeKind.ASKED,
    NoticeKind.ASKED_OVERDUE,
    NoticeKind.ANSWERED,
    NoticeKind.AUDIT_LOG,
    NoticeKind.DUTIES_CHANGED,
)
# Most urgent first. What nobody has to do anything about comes last, and is never
# counted as waiting.
INFORMATION = (NoticeKind.ESCALATED, NoticeKind.ACCEPTED)
URGENCY = (
    NoticeKind.AUDIT_LOG,
    NoticeKind.INFECTED,
    NoticeKind.ASKED_OVERDUE,
    NoticeKind.OVERDUE,
    NoticeKind.FINDING_LATE,
    NoticeKind.REJECTED,
    NoticeKind.RETURNED,
    NoticeKind.RESPONSE_BACK,
    NoticeKind.DUE_SOON,
    NoticeKind.FINDING_DUE,
    NoticeKind.FINDING,
    NoticeKind.ASKED,
    NoticeKind.ASKED_FIRST,
    NoticeKind.ANSWERED,
    NoticeKind.TO_REVIEW,
    NoticeKind.TO_APPROVE,
    NoticeKind.TO_READ,
    NoticeKind.DUTIES_CHANGED,
    NoticeKind.UNSCANNABLE,
    *INFORMATION,
)
# The message table: what a notice says, from its parameters.
SENTENCES = {
    NoticeKind.DUE_SOON: "“{what}” is due on {day}.",
    NoticeKind.OVERDUE: "“{what}” was due on {day}.",
    NoticeKind.ASKED_FIRST: (
        "{what} of {team} fell due before {day}, the day on which that was stated."
    ),
    NoticeKind.ESCALATED: "{team} has not shown “{what}”, due on {day}.",
    NoticeKind.ACCEPTED: "“{what}” was accepted by {who}.",
    NoticeKind.REJECTED: "“{what}” was rejected by {who}: {reason}",
    NoticeKind.TO_REVIEW: "“{what}” by {who} waits for your review.",
    NoticeKind.TO_APPROVE: "{who} asks you to approve: {what}.",
    NoticeKind.TO_READ: "{what} was registered by {who}; nobody has read it yet.",
    NoticeKind.INFECTED: "A virus was found in “{what}”.",
    NoticeKind.UNSCANNABLE: "“{what}” could not be scanned for viruses.",
    NoticeKind.ASKED: "{who} asks to see “{what}” by {day}.",
    NoticeKind.ASKED_OVERDUE: "“{what}”, asked by {who}, was due on {day}.",
    NoticeKind.ANSWERED: "“{what}” was answered by {who}.",
    NoticeKind.AUDIT_LOG: "The audit log of {what}: {reason}",
    NoticeKind.RETURNED: "“{what}” was returned by {who}: {reason}",
    NoticeKind.DUTIES_CHANGED: (
        "The duties of {team} changed since it acknowledged them: {what}."
    ),
    NoticeKind.FINDING: "“{what}” was found by {who} and is to be mended.",
    NoticeKind.FINDING_DUE: "“{what}” is to be mended by {day}.",
    NoticeKind.FINDING_LATE: "“{what}” was to be mended by {day}.",
    NoticeKind.RESPONSE_BACK: (
        "Your response about “{what}” was refused by {who}: {reason}"
    ),
}
NOT_RECORDED = "(not recorded)"


class Frequency(models.TextChoices):
    """How often a person gets mail about new notices."""

    IMMEDIATE = "immediate", "At once"
    DAILY = "daily", "Once a day"
    WEEKLY = "weekly", "Once a week, on Monday"
    OFF = "off", "Never: only in the list here"


class NoticePreference(models.Model):
    """What one person wants; without a row, daily."""

    user = models.OneToOneField(
        USER, models.CASCADE, related_name="notice_preference", primary_key=True
    )
    frequency = models.CharField(
        max_length=10, choices=Frequency, default=Frequency.DAILY
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="frequency_known", condition=Q(frequency__in=Frequency.values)
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_frequency_display()}"


class MailState(models.TextChoices):
    """How far a mail is."""

    QUEUED = "queued", "Queued"
    SENDING = "sending", "Being sent"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    DROPPED = "dropped", "Not wanted any more"


class OwnQuerySet(models.QuerySet[Any]):
    """Rows that belong to one person each."""

    def visible_to(self, user: Actor) -> Self:
        """One's own only; of nobody else, whatever one's role."""
        return self.filter(user=user)


class NoticeMail(LeasedJob):
    """One mail to one person, with the notices of one run.

    queued -> sending -> sent | failed | dropped; failed -> sending, some times; sending
    -> queued while the mail server is away. `error` says why.
    Dropped: before it left, the person's account or role ended, or they chose no mail.
    """

    reason_field: ClassVar[str] = "error"

    user = models.ForeignKey(USER, models.PROTECT, related_name="notice_mails")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    state = models.CharField(
        max_length=8, choices=MailState, default=MailState.QUEUED, editable=False
    )
    rows = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=300, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    # null: not sent
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = OwnQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="mail_state_known", condition=Q(state__in=MailState.values)
            )
        ]

    def __str__(self) -> str:
        return f"Mail of {self.created_at:%Y-%m-%d %H:%M} UTC"


class NoticeQuerySet(OwnQuerySet):
    """Notices."""

    def visible_to(self, user: Actor) -> Self:
        """One's own only, of systems in which one still holds a role (AC-03)."""
        return super().visible_to(user).permitted()

    def permitted(self) -> Self:
        """Those whose person still holds a role in the system, whoever asks (AC-03)."""
        roles = Membership.objects.active().filter(
            user=OuterRef("user"), system=OuterRef("system")
        )
        return self.filter(Q(system=None) | Exists(roles))

    def unread(self) -> Self:
        """Neither read nor ended."""
        return self.filter(read_at=None, ended_at=None)

    def for_listing(self) -> Self:
        """With system and mail, unread first and of these the most urgent; then the
        newest."""
        unread = Q(read_at=None, ended_at=None)
        ranks = [
            models.When(unread & Q(kind=kind), then=rank)
            for rank, kind in enumerate(URGENCY)
        ]
        return (
            self.select_related("system", "mail")
            .annotate(
                is_unread=models.ExpressionWrapper(unread, models.BooleanField()),
                rank=models.Case(*ranks, default=len(URGENCY)),
            )
            .order_by("-is_unread", "rank", "-pk")
        )


class Notice(models.Model):
    """One thing one person is told once. `key` names the thing and its stage."""

    user = models.ForeignKey(USER, models.PROTECT, related_name="notices")
    # null: about no single system
    system = models.ForeignKey(
        System, models.PROTECT, null=True, blank=True, related_name="+"
    )
    # null: in no mail
    mail = models.ForeignKey(
        NoticeMail, models.PROTECT, null=True, blank=True, related_name="notices"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=14, choices=NoticeKind)
    key = models.CharField(max_length=160)
    said = models.JSONField(default=dict)
    path = models.CharField(max_length=300)
    created_at = models.DateTimeField(default=timezone.now)
    # null: not read
    read_at = models.DateTimeField(null=True, blank=True)
    # null: still so; set: what it says is no longer so
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["user"],
                name="notice_unread",
                condition=Q(read_at=None, ended_at=None),
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "key"], name="notice_once_per_person"
            ),
            models.CheckConstraint(
                name="notice_kind_known", condition=Q(kind__in=NoticeKind.values)
            ),
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def sentence(self) -> str:
        """What it says, in one sentence and on one line, whatever a title holds.

        A fact that was not stored with it reads "not recorded".
        """
        facts = defaultdict(lambda: NOT_RECORDED, self.said)
        return " ".join(SENTENCES[NoticeKind(self.kind)].format_map(facts).split())
