"""Files that can do something by themselves, and the officer who looked at them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from evidence.models.files import EvidenceFile

USER = settings.AUTH_USER_MODEL


class FileClearance(models.Model):
    """An officer's word that a flagged file may be opened and relied on."""

    append_only = True

    file = models.OneToOneField(EvidenceFile, models.PROTECT, related_name="clearance")
    officer = models.ForeignKey(USER, models.PROTECT, related_name="+")
    # copied from the revision so that the database can compare them
    uploader = models.ForeignKey(USER, models.PROTECT, related_name="+")
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    reason = models.TextField()
    known_from = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="clearance_officer_is_not_uploader",
                condition=~Q(officer=F("uploader")),
                violation_error_message=(
                    "Somebody other than the uploader must clear this file."
                ),
            ),
            models.CheckConstraint(
                name="clearance_says_why",
                condition=~Q(reason=""),
                violation_error_message="Say what you checked.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file} cleared by {self.officer}"
