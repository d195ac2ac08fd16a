"""Who judged which link, bound to the exact bytes and dates."""

from __future__ import annotations

import uuid
from typing import Literal

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from controls.errors import Refused
from controls.models import Actor
from evidence.models.confirmed_days import (
    NOT_CONFIRMED,
    ConfirmsDay,
    DayConfirmation,
    day_confirmed_says_where,
)
from evidence.models.links import EvidenceLink

USER = settings.AUTH_USER_MODEL
TICK_COMPLETENESS = (
    "Tick that it is complete, as it says, or reject it and say what is left out."
)


class ReviewDecision(models.TextChoices):
    """What the reviewer said."""

    ACCEPT = "accept", "Accepted"
    REJECT = "reject", "Rejected"


class AcceptsOrRejects(models.Model):
    """What every decision of a second person on a row says, beside the row it is of."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    decision = models.CharField(max_length=6, choices=ReviewDecision)
    reason = models.TextField(blank=True, default="")
    reviewer_name = models.CharField(max_length=200)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.get_decision_display()} by {self.reviewer_name}"

    @property
    def past_tense(self) -> Literal["accepted", "rejected"]:
        """For sentences and the names of events."""
        return "accepted" if self.decision == ReviewDecision.ACCEPT else "rejected"


class Review(AcceptsOrRejects, ConfirmsDay):
    """One judgement of one link. Append-only; `digest` is the revision's."""

    append_only = True

    link = models.ForeignKey(EvidenceLink, models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(USER, models.PROTECT, related_name="reviews")
    # copied from the link so that the database can compare them
    submitter = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # copied from the evidence: it says what shows that it is complete
    names_completeness = models.BooleanField(default=False, db_default=False)
    # the reviewer looked at that and found it so (R12)
    complete = models.BooleanField(default=False, db_default=False)
    digest = models.CharField(max_length=64)
    performed_on = models.DateField()
    period_from = models.DateField()
    period_until = models.DateField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="reviewer_is_not_submitter",
                condition=~Q(reviewer=F("submitter")),
                violation_error_message=(
                    "Somebody other than the submitter must review this."
                ),
            ),
            models.CheckConstraint(
                name="review_rejection_says_why",
                condition=~Q(decision="reject") | ~Q(reason=""),
                violation_error_message="A rejection says why.",
            ),
            day_confirmed_says_where("review_day_confirmed_says_where"),
            models.CheckConstraint(
                name="review_accepts_what_is_complete",
                condition=~Q(decision="accept", names_completeness=True)
                | Q(complete=True),
                violation_error_message=TICK_COMPLETENESS,
            ),
        ]

    @classmethod
    def of(
        cls,
        link: EvidenceLink,
        *,
        decision: str,
        by: Actor,
        reason: str,
        day: DayConfirmation = NOT_CONFIRMED,
        complete: bool = False,
    ) -> Review:
        """The unsaved judgement of a link, with copies of what it is bound to.

        Raises Refused for accepting what was drawn from a system without the tick that
        it is `complete`.
        """
        revision = link.revision
        drawn = bool(revision.evidence.completeness)
        if decision == ReviewDecision.ACCEPT and drawn and not complete:
            raise Refused({"complete": TICK_COMPLETENESS})
        return cls(
            link=link,
            reviewer=by,
            submitter_id=link.submitted_by_id,
            decision=decision,
            names_completeness=drawn,
            complete=complete and drawn,
            reason=reason,
            digest=revision.digest,
            performed_on=revision.performed_on,
            period_from=revision.period_from,
            period_until=revision.period_until,
            reviewer_name=str(by),
            **day.columns(),
        )
