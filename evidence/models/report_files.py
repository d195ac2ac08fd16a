"""Files of providers' reports, held by right, and everybody who saw one.

One file: what is said of one row, and who may read it.
"""

from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from controls.models import Actor, Engagement, System
from evidence.jobs.models import LeasedJob
from evidence.models.artifacts import Artifact, ArtifactVersion
from evidence.models.blobs import Blob, ScanState
from evidence.models.files import UNSCANNED, FileFlag
from evidence.models.removals import NOT_REMOVED, RemovalState

USER = settings.AUTH_USER_MODEL


class OfReportFileQuerySet(models.QuerySet[Any]):
    """What stands beside reports: whoever may read the series may read it."""

    report_path = "artifact_version"

    def visible_to(self, user: Actor) -> Self:
        """Those of the series that the user may read."""
        artifacts = Artifact.objects.visible_to(user)
        return self.filter(**{f"{self.report_path}__artifact__in": artifacts})


class ReportFileQuerySet(OfReportFileQuerySet):
    """Held files: everybody who reads the register sees that they are held."""

    def locked(self, pk: int) -> ReportFile:
        """One of them, until the transaction ends. Rows of it are never changed: the
        report's row is their lock, so that two acts on a file follow each other."""
        file: ReportFile = self.for_opening().get(pk=pk)
        reports = ArtifactVersion.objects.select_for_update(of=("self",))
        reports.get(pk=file.artifact_version_id)
        return file

    def for_opening(self) -> Self:
        """With all that decides whether somebody may open it, oldest first."""
        return (
            self.select_related(
                "artifact_version__artifact", "blob", "clearance__cleared_by", "held_by"
            )
            .prefetch_related("removals")
            .order_by("pk")
        )


class ReportFile(models.Model):
    """The file of a report, held because an agreement with its provider allows it.

    Who held it confirmed that; `term` is what the agreement asks of whoever opens it,
    in our own words. `flags` are values of FileFlag.
    """

    append_only = True

    artifact_version = models.ForeignKey(
        ArtifactVersion, models.PROTECT, related_name="files"
    )
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="report_files")
    held_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=255)
    # copied from the bytes: it stays when they go
    sha256 = models.CharField(max_length=64)
    agreement = models.CharField(max_length=200)
    term = models.TextField()
    flags = ArrayField(models.CharField(max_length=20), default=list, blank=True)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ReportFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["artifact_version", "blob"],
                name="report_file_once_in_report",
                violation_error_message="This file is held for this report already.",
            ),
            models.CheckConstraint(
                name="report_file_says_by_what_right",
                condition=~Q(agreement="") & ~Q(term=""),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_removed(self) -> bool:
        """Whether two registrars removed it, or its bytes are gone for good."""
        approved = any(r.state == RemovalState.APPROVED for r in self.removals.all())
        return approved or self.blob.purged_at is not None

    def obstacle(self) -> str:
        """Why nobody may open it, as a sentence; empty where those who may, may.

        Reads blob, clearance and removals: see `for_opening`.
        """
        state = self.blob.scan_state
        if self.is_removed:
            return f"“{self.name}” was removed; its digest and record remain."
        if state == ScanState.NOT_SCANNED and settings.CLAMAV_URL:
            state = ScanState.PENDING
        if state in UNSCANNED and (settings.CLAMAV_URL or state == ScanState.INFECTED):
            return f"“{self.name}” {UNSCANNED[ScanState(state)]}."
        if self.flags and not hasattr(self, "clearance"):
            abilities = " and ".join(FileFlag(flag).label for flag in self.flags)
            return f"“{self.name}” {abilities}: a second person must clear it first."
        return ""


class OfHeldFileQuerySet(OfReportFileQuerySet):
    """What people did with held files."""

    report_path = "file__artifact_version"

    def for_listing(self) -> Self:
        """With the file and its report, in the order in which it happened."""
        return self.select_related(
            "file__artifact_version__artifact", "file__blob"
        ).order_by("pk")


class ReportFileClearance(models.Model):
    """A second person's word that a flagged report may be opened."""

    append_only = True

    file = models.OneToOneField(ReportFile, models.PROTECT, related_name="clearance")
    cleared_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # copied so that the database can compare them
    held_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reason = models.TextField()
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = OfHeldFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="report_clearance_by_another",
                condition=~Q(cleared_by=F("held_by")),
                violation_error_message=(
                    "Somebody other than the person who held it must clear it."
                ),
            ),
            models.CheckConstraint(
                name="report_clearance_says_why", condition=~Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file} cleared by {self.cleared_by}"


class TermConfirmation(models.Model):
    """A person was shown the term of a held file and confirmed it, once."""

    append_only = True

    file = models.ForeignKey(ReportFile, models.PROTECT, related_name="confirmations")
    person = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = OfHeldFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["file", "person"], name="term_confirmed_once_by_person"
            )
        ]

    def __str__(self) -> str:
        return f"{self.person} confirmed the term of {self.file}"


class ReportReleaseQuerySet(OfHeldFileQuerySet):
    """Releases: whose audit it is, is known to who may read that audit's system."""

    def visible_to(self, user: Actor) -> Self:
        """Those of audits of systems that the user may read."""
        systems = System.objects.visible_to(user)
        return self.filter(engagement__system__in=systems)

    def standing(self) -> Self:
        """Those that nobody has taken back."""
        return self.filter(taken_back_by=None)


class ReportRelease(models.Model):
    """A held file that the auditors of one engagement may open, until it is taken back.

    They see it while their grant runs; a copy leaves in a package that is made for that
    audit by somebody who may open it, and in no other export.
    """

    keeps_history = True

    file = models.ForeignKey(ReportFile, models.PROTECT, related_name="releases")
    engagement = models.ForeignKey(
        Engagement, models.PROTECT, related_name="report_releases"
    )
    released_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: it stands
    taken_back_by = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reason = models.TextField()
    version = models.PositiveIntegerField(default=1, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = ReportReleaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["file", "engagement"],
                name="report_released_once",
                condition=Q(taken_back_by=None),
                violation_error_message="It is released to this audit already.",
            ),
            models.CheckConstraint(
                name="report_release_says_why",
                condition=~Q(reason=""),
                violation_error_message="Say why the auditors need it.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file} for {self.engagement}"


class ReportFileRemoval(LeasedJob):
    """A held file taken away: asked by one registrar, decided by another.

    Nobody opens it from the approval on; a worker destroys the bytes, unless records of
    a system or another report rest on the same ones. `outcome` says which it was.
    """

    reason_field: ClassVar[str] = "outcome"

    keeps_history = True

    file = models.ForeignKey(ReportFile, models.PROTECT, related_name="removals")
    requested_by = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # null: nobody has decided
    decided_by = models.ForeignKey(
        USER, models.PROTECT, null=True, blank=True, related_name="+"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reason = models.TextField()
    outcome = models.TextField(blank=True, default="")
    state = models.CharField(
        max_length=10,
        choices=RemovalState,
        default=RemovalState.REQUESTED,
        editable=False,
    )
    # null: the worker is not done
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = OfHeldFileQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="report_removal_state_known",
                condition=Q(state__in=RemovalState.values),
            ),
            models.CheckConstraint(
                name="report_removal_decided_by_another",
                condition=Q(decided_by=None) | ~Q(decided_by=F("requested_by")),
                violation_error_message=(
                    "Somebody other than the requester must approve this."
                ),
            ),
            models.CheckConstraint(
                name="report_removal_decided_by_somebody",
                condition=Q(state__in=["requested", "withdrawn"], decided_by=None)
                | Q(state__in=["approved", "refused"], decided_by__isnull=False),
            ),
            models.CheckConstraint(
                name="report_removal_says_why",
                condition=~Q(reason=""),
                violation_error_message="Say why it has to go.",
            ),
            models.UniqueConstraint(
                fields=["file"],
                name="report_removal_once_per_file",
                condition=~Q(state__in=NOT_REMOVED),
                violation_error_message="Its removal is already asked for.",
            ),
        ]

    def __str__(self) -> str:
        return f"Removal of {self.file}"
