"""Evidence, its revisions and files, and the links by which it proves controls."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import URLValidator
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from controls.errors import (
    NotPermitted,
    Refused,
    StaleVersion,
    TransitionNotAllowed,
)
from controls.models import Actor, AuditEvent, ControlImplementation, Role, System, Team
from controls.models.audit import Event, about
from evidence.models.blobs import Blob, ScanState
from evidence.models.requirements import EvidenceRequirement
from evidence.models.samples import SampleItem
from evidence.models.scopes import OfTeamQuerySet

USER = settings.AUTH_USER_MODEL
# What leads from a revision to the people who brought it, by any of its links.
AUTHORS = ("uploaded_by", "collected_by", "links__submitted_by")
# Files up to this size say nothing of who made them: empty exports are alike.
MAX_COMMON_BYTES = 64


class Half(models.TextChoices):
    """Whose part of a control a link proves."""

    CUSTOMER = "customer", "Yours"
    AWS = "aws", "AWS's"


class Sensitivity(models.TextChoices):
    """Who may see the bytes."""

    INTERNAL = "internal", "Internal"
    CONFIDENTIAL = "confidential", "Confidential"
    RESTRICTED = "restricted", "Restricted"


class RevisionKind(models.TextChoices):
    """Why a further revision exists."""

    ORIGINAL = "original", "Original"
    CORRECTION = "correction", "Correction"
    ADDITION = "addition", "Addition"


class LinkState(models.TextChoices):
    """Where one link stands. `lapsed` is computed from dates, never stored."""

    DRAFT = "draft", "Draft"
    SUBMITTED = "submitted", "Submitted"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    WITHDRAWN = "withdrawn", "Withdrawn"
    VOID = "void", "Void (corrected)"


class FileFlag(models.TextChoices):
    """What a file can do by itself; an officer looks at it before it is relied on."""

    JAVASCRIPT = "javascript", "contains a script"
    LAUNCH = "launch", "starts a program when opened"
    ATTACHMENT = "attachment", "carries files inside"
    FORM_ACTION = "form-action", "sends data somewhere"
    EXTERNAL = "external", "loads parts from elsewhere"
    EMBEDDED_OBJECT = "embedded-object", "carries an embedded object"


UNSCANNED = {
    ScanState.PENDING: "waits for the virus scanner",
    ScanState.INFECTED: "carries a virus",
    ScanState.ERROR: "could not be scanned for viruses yet",
}


class EvidenceQuerySet(OfTeamQuerySet):
    """Evidence."""


class Evidence(models.Model):
    """Something offered as proof that a control is designed well or operated."""

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="evidence")
    team = models.ForeignKey(Team, models.PROTECT, related_name="evidence")
    created_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    title = models.CharField(max_length=200)
    source_system = models.CharField(max_length=120, blank=True, default="")
    procedure = models.TextField(blank=True, default="")
    sensitivity = models.CharField(
        max_length=12, choices=Sensitivity, default=Sensitivity.INTERNAL
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = EvidenceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "evidence"

    def __str__(self) -> str:
        return self.title


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
        obstacles = [file.obstacle() for file in files.prefetch_related("removals")]
        if any(obstacles):
            raise TransitionNotAllowed([sentence for sentence in obstacles if sentence])

    @staticmethod
    def digest_of(sha256s: list[str], *dates: dt.date) -> str:
        """sha256 over the files' digests in order and the dates, in hex."""
        text = "\n".join([*sha256s, *(day.isoformat() for day in dates)])
        return hashlib.sha256(text.encode()).hexdigest()


class EvidenceFileQuerySet(models.QuerySet["EvidenceFile"]):
    """Files."""

    def visible_to(self, user: Actor) -> Self:
        """Files of the evidence the user may read."""
        return self.filter(revision__evidence__in=Evidence.objects.visible_to(user))

    def for_opening(self) -> Self:
        """With all that decides whether somebody may open it."""
        return self.select_related("blob", "clearance", "revision__evidence__system")


class EvidenceFile(models.Model):
    """One file of a revision under the name the uploader gave it."""

    append_only = True

    revision = models.ForeignKey(EvidenceRevision, models.PROTECT, related_name="files")
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="files")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=255)
    position = models.PositiveSmallIntegerField(default=1)
    # what it can do by itself: values of FileFlag
    flags = ArrayField(models.CharField(max_length=20), default=list, blank=True)

    objects = EvidenceFileQuerySet.as_manager()

    class Meta:
        ordering = ["revision", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "blob"],
                name="file_once_in_revision",
                violation_error_message="The same file is attached twice.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    def obstacle(self) -> str:
        """Why nobody may open or rely on it, as a sentence; empty where all may.

        A file of an earlier time without a scan waits only while a scanner is set up.
        Reads blob, clearance and removals: see `for_opening`.
        """
        state = self.blob.scan_state
        removed = any(removal.state == "approved" for removal in self.removals.all())
        if self.blob.purged_at or removed:
            fate = "was removed as a spill; its digest and record remain."
            return f"“{self.name}” {fate}"
        if state == ScanState.NOT_SCANNED and settings.CLAMAV_URL:
            state = ScanState.PENDING
        if state in UNSCANNED and (settings.CLAMAV_URL or state == ScanState.INFECTED):
            return f"“{self.name}” {UNSCANNED[ScanState(state)]}."
        if self.flags and not hasattr(self, "clearance"):
            abilities = " and ".join(FileFlag(flag).label for flag in self.flags)
            return f"“{self.name}” {abilities}: an officer must clear it first."
        return ""


class EvidenceLinkQuerySet(models.QuerySet["EvidenceLink"]):
    """What proves what."""

    def visible_to(self, user: Actor) -> Self:
        """Links of the systems the user may read (status and titles, not bytes)."""
        return self.filter(system__in=System.objects.visible_to(user))

    def awaiting_review(self) -> Self:
        """Submitted and undecided, oldest first."""
        return self.filter(state=LinkState.SUBMITTED).order_by("submitted_at", "pk")

    def reviewable_by(self, user: Actor) -> Self:
        """What this person may decide: independent of it, in systems they review."""
        reviewed = System.objects.held_as(user, [Role.REVIEWER, Role.OFFICER])
        return self.filter(system__in=reviewed).independent_of(user)

    def independent_of(self, user: Actor) -> Self:
        """Links this person had no hand in (R17, R32).

        Neither submitted, uploaded nor collected any revision of the same evidence, nor
        brought one of the link's files to the same system, if that is larger than
        MAX_COMMON_BYTES. `authors_of` names the same people for many links.
        """
        authored = EvidenceRevision.objects.by_author(user)
        files = EvidenceFile.objects.filter(
            revision=OuterRef("revision"), blob__size_bytes__gt=MAX_COMMON_BYTES
        )
        as_evidence = files.filter(
            blob__files__revision__in=authored,
            blob__files__revision__evidence__system=OuterRef("system"),
        )
        as_population = files.filter(
            blob__populations__drawn_by=user.pk,
            blob__populations__system=OuterRef("system"),
        )
        own = self.exclude(revision__evidence__in=authored.values("evidence"))
        return own.filter(~Exists(as_evidence), ~Exists(as_population))

    def authors_of(self) -> dict[int, set[int]]:
        """Keys of the people who may not review a link, by the link's key.

        In three statements, however many links there are.
        """
        authors: dict[int, set[int]] = {}
        blob = "revision__files__blob__"
        large = Q(**{f"{blob}size_bytes__gt": MAX_COMMON_BYTES})
        as_evidence = Q(**{f"{blob}files__revision__evidence__system": F("system")})
        as_population = Q(**{f"{blob}populations__system": F("system")})
        statements = (
            (self, [f"revision__evidence__revisions__{each}" for each in AUTHORS]),
            (
                self.filter(large & as_evidence),
                [f"{blob}files__revision__{each}" for each in AUTHORS],
            ),
            (self.filter(large & as_population), [f"{blob}populations__drawn_by"]),
        )
        for links, paths in statements:
            for link, *people in links.order_by().values_list("pk", *paths).distinct():
                authors.setdefault(link, set()).update(filter(None, people))
        return authors

    def locked(self) -> Self:
        """Locked in the order of their keys, with all that a step reads."""
        return (
            self.select_for_update(of=("self",))
            .select_related("revision__evidence", "implementation__control", "system")
            .order_by("pk")
        )

    def for_listing(self) -> Self:
        """With all that a row shows."""
        return self.select_related(
            "revision__evidence__team",
            "implementation__control",
            "requirement",
            "sample_item__item",
            "submitted_by",
            "system",
        )


class EvidenceLink(models.Model):
    """A revision offered as proof of one half of one control.

    Life cycle: draft -> submitted -> accepted | rejected; draft | submitted |
    accepted -> withdrawn; the same three -> void when a correction replaces it.
    Steps are taken through the methods only; each writes its audit event, last, in the
    same transaction. `occurrence` is the first day of the calendar period it performs.
    """

    keeps_history = True

    system = models.ForeignKey(System, models.PROTECT, related_name="links")
    revision = models.ForeignKey(EvidenceRevision, models.PROTECT, related_name="links")
    implementation = models.ForeignKey(
        ControlImplementation, models.PROTECT, related_name="links"
    )
    # null: supplementary, nothing asks for it
    requirement = models.ForeignKey(
        EvidenceRequirement,
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
            models.Index(
                fields=["system", "submitted_at"],
                name="link_awaiting_review",
                condition=Q(state="submitted"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.revision.evidence} for {self.implementation.control.label}"

    def accept(
        self, *, by: Actor, reason: str = "", version: int | None = None
    ) -> None:
        """Record that `by` judged this link's bytes sufficient.

        Raises NotPermitted for the submitter, the collector and people without the
        reviewer's role; TransitionNotAllowed, naming who was first, when the link
        is already decided.
        """
        self._review("accept", LinkState.ACCEPTED, by, reason, version)

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
        said = {"submitted_at": timezone.now(), "submitted_by": by}
        self._transition(stored, LinkState.SUBMITTED, **said)
        AuditEvent.objects.append(about(self, "evidence.submitted", by=by))

    @transaction.atomic
    def withdraw(self, *, by: Actor, reason: str, version: int | None = None) -> None:
        """Take the link back; what it proved is no longer proven from now on."""
        stored = self._locked()
        if stored.state not in {
            LinkState.DRAFT,
            LinkState.SUBMITTED,
            LinkState.ACCEPTED,
        }:
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
        self, decision: str, to: str, by: Actor, reason: str, version: int | None
    ) -> None:
        """Decide from the locked row; write review, state, proof and event, or none."""
        stored = self._locked()
        event = stored.decided(decision, to, by=by, reason=reason, version=version)
        AuditEvent.objects.append(event)
        self.state, self.version = stored.state, stored.version

    def decided(
        self, decision: str, to: str, *, by: Actor, reason: str, version: int | None
    ) -> Event:
        """Write state, proof and review of this locked row; its event is returned.

        The caller writes the event as the last act of the transaction. Raises as
        `accept` does.
        """
        from evidence.models.reviews import Review

        if self.state != LinkState.SUBMITTED:
            raise TransitionNotAllowed(_already_decided(self))
        require_independent_reviewer(self, by)
        if version is not None and version != self.version:
            raise TransitionNotAllowed("This changed since you opened it. Look again.")
        if decision == "accept":
            self.revision.refuse_unsafe()
        self._transition(self, to)
        review = Review.of(self, decision=decision, by=by, reason=reason)
        review.save(force_insert=True)
        said = {"reason": reason, "digest": review.digest, "review": review.uuid}
        return about(self, f"evidence.{to}", by=by, **said)

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
        return (
            f"This is {stored.get_state_display().lower()}; there is nothing to review."
        )
    return f"{last.reviewer} has already {last.past_tense} this."


def require_independent_reviewer(stored: EvidenceLink, by: Actor) -> None:
    """Raise NotPermitted unless `by` may decide this link: see `reviewable_by`."""
    link = EvidenceLink.objects.filter(pk=stored.pk)
    if link.reviewable_by(by).exists():
        return
    if not link.independent_of(by).exists():
        raise NotPermitted(
            "Somebody other than the submitter must review this: you submitted or"
            " collected this evidence, a revision of it, or the same file."
        )
    raise NotPermitted("You are not a reviewer of this system.")
