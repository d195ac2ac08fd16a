"""Revisions of evidence: files and dates at one time, and the people behind them."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from controls.errors import TransitionNotAllowed
from controls.models import Actor
from evidence.models.evidence import Evidence

USER = settings.AUTH_USER_MODEL
# What leads from a revision to the people who brought it, by any of its links.
AUTHORS = ("uploaded_by", "collected_by", "links__submitted_by")
# Files up to this size say nothing of who made them: empty exports are alike.
MAX_COMMON_BYTES = 64


class RevisionKind(models.TextChoices):
    """Why a further revision exists."""

    ORIGINAL = "original", "Original"
    CORRECTION = "correction", "Correction"
    ADDITION = "addition", "Addition"


class EvidenceRevisionQuerySet(models.QuerySet["EvidenceRevision"]):
    """Revisions."""

    def by_author(self, user: Actor) -> Self:
        """Revisions that this person uploaded, collected or submitted for a control."""
        # one statement each, so that each uses its index
        of_user = [
            EvidenceRevision.objects.filter(**{author: user.pk}).order_by().values("pk")
            for author in AUTHORS
        ]
        return self.filter(pk__in=of_user[0].union(*of_user[1:]))


class EvidenceRevision(models.Model):
    """The files and dates of one evidence at one time. Never changed.

    `period_from` .. `period_until` (exclusive) is what it is about; `performed_on`
    is the day the control operated. `digest` covers the files and these dates.
    """

    append_only = True

    evidence = models.ForeignKey(Evidence, models.PROTECT, related_name="revisions")
    # null: collected by a program or by the uploader
    collected_by = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="+"
    )
    uploaded_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.PositiveIntegerField(default=1)
    kind = models.CharField(
        max_length=10, choices=RevisionKind, default=RevisionKind.ORIGINAL
    )
    reason = models.TextField(blank=True, default="")
    performed_on = models.DateField()
    period_from = models.DateField()
    period_until = models.DateField()
    collected_on = models.DateField()
    digest = models.CharField(max_length=64)
    # where it can be seen besides; never fetched, and not part of the digest
    addresses = ArrayField(
        models.CharField(max_length=500, validators=[URLValidator(["https", "http"])]),
        default=list,
        blank=True,
    )
    uploaded_at = models.DateTimeField(default=timezone.now)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = EvidenceRevisionQuerySet.as_manager()

    class Meta:
        ordering = ["evidence", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["evidence", "number"], name="revision_number_unique"
            ),
            models.CheckConstraint(
                name="revision_period_ordered",
                condition=Q(period_until__gt=F("period_from")),
                violation_error_message="A period ends on or after its first day.",
            ),
            models.CheckConstraint(
                name="revision_performed_before_collected",
                condition=Q(collected_on__gte=F("performed_on")),
                violation_error_message=(
                    "Evidence cannot be collected before it was performed."
                ),
            ),
            models.CheckConstraint(
                name="revision_correction_says_why",
                condition=~Q(kind="correction") | ~Q(reason=""),
                violation_error_message="Say what the correction corrects.",
            ),
            models.CheckConstraint(
                name="revision_digest_is_sha256",
                condition=Q(digest__regex=r"^[0-9a-f]{64}$"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.evidence} (revision {self.number})"

    @property
    def period_last(self) -> dt.date:
        """The last day it is about (inclusive), as pages show it."""
        return self.period_until - dt.timedelta(days=1)

    def refuse_unsafe(self) -> None:
        """Raise TransitionNotAllowed while one of its files must not be relied on."""
        files = self.files.select_related("blob", "clearance")
        obstacles = [file.obstacle() for file in files]
        if any(obstacles):
            raise TransitionNotAllowed([sentence for sentence in obstacles if sentence])

    @staticmethod
    def digest_of(sha256s: list[str], *dates: dt.date) -> str:
        """sha256 over the files' digests in order and the dates, in hex."""
        text = "\n".join([*sha256s, *(day.isoformat() for day in dates)])
        return hashlib.sha256(text.encode()).hexdigest()
