"""Links by which evidence proves controls, and their life cycle.

One file: every step of a link writes its state, proof, review and event together.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from controls.errors import (
    NotPermitted,
    Refused,
    StaleVersion,
    TransitionNotAllowed,
)
from controls.models import Actor, AuditEvent, ControlImplementation, Role, System
from controls.models.audit import Event, about
from evidence.models.confirmed_days import NOT_CONFIRMED, DayConfirmation
from evidence.models.link_queries import EvidenceLinkQuerySet, Half, LinkState
from evidence.models.requirements import RequirementControl
from evidence.models.revisions import EvidenceRevision
from evidence.models.samples import SampleItem

USER = settings.AUTH_USER_MODEL
WITHDRAWABLE = {LinkState.DRAFT, LinkState.SUBMITTED, LinkState.ACCEPTED}


class EvidenceLink(models.Model):
    """A revision offered as proof of one half of one control.

    Life cycle: draft -> submitted -> accepted | rejected; draft | submitted |
    accepted -> withdrawn; the same three -> void when a correction replaces it.
    Steps are taken through the methods only; each writes its audit event, last, in the
    same transaction. `occurrence` is the first day of the calendar period it performs,
    `occurrence_ends` that period's last day.
    """

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="links")
    revision = models.ForeignKey(EvidenceRevision, models.PROTECT, related_name="links")
    implementation = models.ForeignKey(
        ControlImplementation, models.PROTECT, related_name="links"
    )
    # null: supplementary, nothing asks for it
    requirement = models.ForeignKey(
        RequirementControl,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="links",
    )
    # null: it is not about one sampled event
    sample_item = models.ForeignKey(
        SampleItem, models.PROTECT, null=True, blank=True, related_name="links"
    )
    submitted_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    statement_ids = ArrayField(
        models.CharField(max_length=60), default=list, blank=True
    )
    half = models.CharField(max_length=10, choices=Half, default=Half.CUSTOMER)
    # null: yearly, once and per-event requirements have no calendar period
    occurrence = models.DateField(null=True, blank=True)
    # null besides: the link is older than this column and of a changed cadence; it
    # answers whichever period begins on that day
    occurrence_ends = models.DateField(null=True, blank=True)
    state = models.CharField(
        max_length=10, choices=LinkState, default=LinkState.SUBMITTED, editable=False
    )
    proves_from = models.DateField()
    # null: no end (performed once); inclusive; before proves_from: proves no day
    proves_to = models.DateField(null=True)
    # null: a draft
    submitted_at = models.DateTimeField(null=True, default=timezone.now)
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = EvidenceLinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="link_state_known", condition=Q(state__in=LinkState.values)
            ),
            models.CheckConstraint(
                name="link_of_item_names_requirement",
                condition=Q(sample_item=None) | Q(requirement__isnull=False),
            ),
            models.UniqueConstraint(
                fields=[
                    "revision",
                    "implementation",
                    "requirement",
                    "half",
                    "sample_item",
                    "occurrence",
                    "occurrence_ends",
                ],
                name="revision_linked_once",
                nulls_distinct=False,
                violation_error_message=(
                    "This evidence is already attached to this control."
                ),
            ),
        ]
        indexes = [
            models.Index(
                fields=["implementation", "state"], name="link_of_implementation"
            ),
            models.Index(  # the desk orders and counts by it, reading no row
                fields=["system", "submitted_at"],
                name="link_on_the_desk",
                condition=Q(state="submitted"),
                include=[
                    "id",
                    "revision",
                    "occurrence_ends",
                    "proves_from",
                    "submitted_by",
                ],
            ),
            models.Index(  # the end of the performance before a yearly one
                F("requirement"),
                F("proves_to").desc(),
                F("proves_from"),
                name="link_proves_longest",
                condition=Q(state="accepted", proves_to__isnull=False),
            ),
            models.Index(  # the queue of a reviewer of several systems
                fields=["submitted_at", "id"],
                name="link_waiting_longest",
                condition=Q(state="submitted"),
            ),
            models.Index(  # what waits, and the newest rejection, of one row asked
                F("requirement"),
                F("state"),
                F("submitted_at").desc(),
                name="link_newest_of_requirement",
            ),
            models.Index(  # the periods that something was brought for
                fields=["requirement", "occurrence", "occurrence_ends"],
                name="link_answers_period",
                condition=Q(
                    state__in=["accepted", "submitted"], occurrence__isnull=False
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.revision.evidence} for {self.implementation.control.label}"

    @property
    def proves_no_day(self) -> bool:
        """Whether it was performed after the days that it would prove (R13)."""
        return self.proves_to is not None and self.proves_to < self.proves_from

    def accept(
        self,
        *,
        by: Actor,
        reason: str = "",
        version: int | None = None,
        day: DayConfirmation = NOT_CONFIRMED,
        complete: bool = False,
    ) -> None:
        """Record that `by` judged this link's bytes sufficient.

        `day` is what the reviewer says of the day it was performed (R14), `complete`
        the tick for what was drawn from a system (R12).
        Raises NotPermitted for the submitter, the collector and people without the
        reviewer's role; TransitionNotAllowed, naming who was first, when the link
        is already decided.
        """
        self._review("accept", LinkState.ACCEPTED, by, reason, version, day, complete)

    def reject(self, *, by: Actor, reason: str, version: int | None = None) -> None:
        """Record that the link does not prove it, with what to change."""
        if not reason.strip():
            raise Refused({"reason": "Say why, and what to change."})
        self._review("reject", LinkState.REJECTED, by, reason, version)

    @transaction.atomic
    def submit(self, *, by: Actor) -> None:
        """Hand a draft over for review; whoever does is its submitter."""
        stored = self._locked()
        if stored.state != LinkState.DRAFT:
            raise TransitionNotAllowed("Only a draft can be submitted.")
        if stored.sample_item is not None:
            stored.sample_item.refuse_ended()
        changes = {"submitted_at": timezone.now(), "submitted_by": by}
        self._transition(stored, LinkState.SUBMITTED, **changes)
        AuditEvent.objects.append(about(self, "evidence.submitted", by=by))

    @transaction.atomic
    def withdraw(self, *, by: Actor, reason: str, version: int | None = None) -> None:
        """Take the link back; what it proved is no longer proven from now on."""
        stored = self._locked()
        if stored.state not in WITHDRAWABLE:
            raise TransitionNotAllowed(
                f"Evidence that is {stored.get_state_display().lower()} cannot be"
                " withdrawn."
            )
        if version is not None and version != stored.version:
            raise StaleVersion("This changed since you opened it. Look again.")
        if not reason.strip():
            raise Refused({"reason": "Say why it is withdrawn."})
        self._transition(stored, LinkState.WITHDRAWN)
        AuditEvent.objects.append(
            about(self, "evidence.withdrawn", by=by, reason=reason)
        )

    @transaction.atomic
    def _review(
        self,
        decision: str,
        to: str,
        by: Actor,
        reason: str,
        version: int | None,
        day: DayConfirmation = NOT_CONFIRMED,
        complete: bool = False,
    ) -> None:
        """Decide from the locked row; write review, state, proof and event, or none."""
        stored = self._locked()
        event = stored.decided(
            decision,
            to,
            by=by,
            reason=reason,
            version=version,
            authors=stored.authors(),
            day=day,
            complete=complete,
        )
        AuditEvent.objects.append(event)
        self.state, self.version = stored.state, stored.version

    def authors(self) -> set[int]:
        """Keys of the people who may not review this link: see `authors_of`."""
        return EvidenceLink.objects.filter(pk=self.pk).authors_of()[self.pk]

    def decided(
        self,
        decision: str,
        to: str,
        *,
        by: Actor,
        reason: str,
        version: int | None,
        authors: Collection[int],
        day: DayConfirmation = NOT_CONFIRMED,
        complete: bool = False,
    ) -> Event:
        """Write state, proof and review of this locked row; its event is returned.

        The caller writes the event as the last act of the transaction. Raises as
        `accept` does.
        """
        from evidence.models.reviews import Review

        if self.state != LinkState.SUBMITTED:
            raise TransitionNotAllowed(_already_decided(self))
        require_independent_reviewer(self, by, authors)
        if version is not None and version != self.version:
            raise StaleVersion("This changed since you opened it. Look again.")
        if decision == "accept":
            self.revision.refuse_unsafe()
            if self.sample_item is not None:
                self.sample_item.refuse_ended()
        # first the review: the database accepts no link without one
        review = Review.of(
            self, decision=decision, by=by, reason=reason, day=day, complete=complete
        )
        review.save(force_insert=True)
        self._transition(self, to)
        event_body = {"reason": reason, "digest": review.digest, "review": review.uuid}
        if review.day_confirmed:
            event_body["day_shown_by"] = review.day_shown_by
        if review.names_completeness:
            event_body["complete"] = review.complete
        return about(self, f"evidence.{to}", by=by, **event_body)

    def _locked(self) -> EvidenceLink:
        return EvidenceLink.objects.locked().get(pk=self.pk)

    def _transition(self, stored: EvidenceLink, to: str, **changes: Any) -> None:
        """Write the new state on the locked row and keep the proof table in step."""
        from evidence.models.proof import Proof

        stored.state = to
        for name, value in changes.items():
            setattr(stored, name, value)
        stored.version = F("version") + 1
        stored.save(update_fields=["state", "version", *changes])
        stored.refresh_from_db(fields=["version", "known_from"])
        Proof.objects.follow(stored)
        self.state, self.version = stored.state, stored.version


def _already_decided(stored: EvidenceLink) -> str:
    """A sentence that says who was first."""
    last = stored.reviews.select_related("reviewer").order_by("pk").last()
    if last is None:
        state = stored.get_state_display().lower()
        return f"This is {state}; there is nothing to review."
    return f"{last.reviewer} has already {last.past_tense} this."


def require_independent_reviewer(
    stored: EvidenceLink, by: Actor, authors: Collection[int]
) -> None:
    """Raise NotPermitted unless `by` may decide this link: see `reviewable_by`.

    `authors` are those of this link, as `authors_of` names them.
    """
    if by.pk in authors:
        raise NotPermitted(
            "Somebody other than the submitter must review this: you submitted or"
            " collected this evidence, a revision of it, or the same file."
        )
    reviewed = System.objects.held_as(by, [Role.REVIEWER, Role.OFFICER])
    if reviewed.filter(pk=stored.system_id).exists():
        return
    raise NotPermitted("You are not a reviewer of this system.")
