"""The files of a revision, and what they can do by themselves."""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from controls.models import Actor
from evidence.models.blobs import Blob, ScanState
from evidence.models.evidence import Evidence
from evidence.models.revisions import EvidenceRevision


class FileFlag(models.TextChoices):
    """What a file can do by itself; an officer looks at it before it is relied on."""

    JAVASCRIPT = "javascript", "contains a script"
    LAUNCH = "launch", "starts a program when opened"
    ATTACHMENT = "attachment", "carries files inside"
    FORM_ACTION = "form-action", "sends data somewhere"
    EXTERNAL = "external", "loads parts from elsewhere"
    EMBEDDED_OBJECT = "embedded-object", "carries an embedded object"
    OTHER_FILE = "other-file", "opens another file or address"
    DDE = "dde", "calls another program (DDE)"
    REFRESH = "refresh", "fetches data when opened"
    TRAILING_BYTES = "trailing-bytes", "carries more after its end"


UNSCANNED = {
    ScanState.PENDING: "waits for the virus scanner",
    ScanState.INFECTED: "carries a virus",
    ScanState.ERROR: "could not be scanned for viruses yet",
}


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
        indexes = [
            models.Index(
                fields=["revision"], name="file_flagged", condition=~Q(flags=[])
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_removed(self) -> bool:
        """Whether its bytes were removed here as a spill, or are gone for good."""
        return self.blob.is_removed_in(self.revision.evidence.system_id)

    def obstacle(self) -> str:
        """Why nobody may open or rely on it, as a sentence; empty where all may.

        A file of an earlier time without a scan waits only while a scanner is set up.
        Reads blob, clearance and evidence: see `for_opening`.
        """
        state = self.blob.scan_state
        if self.is_removed:
            return f"“{self.name}” {self.blob.fate()}"
        if state == ScanState.NOT_SCANNED and settings.CLAMAV_URL:
            state = ScanState.PENDING
        if state in UNSCANNED and (settings.CLAMAV_URL or state == ScanState.INFECTED):
            return f"“{self.name}” {UNSCANNED[ScanState(state)]}."
        if self.flags and not hasattr(self, "clearance"):
            abilities = " and ".join(FileFlag(flag).label for flag in self.flags)
            return f"“{self.name}” {abilities}: an officer must clear it first."
        return ""
