"""Bytes in the evidence store, named by their digest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from evidence.jobs.models import LeasedJob

models.CharField.register_lookup(Length)


class ScanState(models.TextChoices):
    """What the virus scanner said."""

    NOT_SCANNED = "not-scanned", "Not scanned"
    PENDING = "pending", "Waiting for the scan"
    CLEAN = "clean", "Clean"
    INFECTED = "infected", "Infected"
    ERROR = "error", "Scan failed"


class PurgedFor(models.TextChoices):
    """Why bytes are gone, where they were no spill."""

    RETENTION = "retention", "Kept until their end"


# The same statement whether somebody has the bytes or not, so that nobody learns which.
MADE_OR_LOCKED = """
INSERT INTO evidence_blob AS b (sha256, size_bytes, media_type, scan_state, scan_detail)
SELECT sha256, size_bytes, media_type, scan_state, ''
  FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[]) WITH ORDINALITY
    AS brought(sha256, size_bytes, media_type, scan_state, place)
 ORDER BY place
ON CONFLICT (sha256) DO UPDATE SET media_type = b.media_type
RETURNING b.*
"""


class BlobQuerySet(models.QuerySet["Blob"]):
    """Blobs."""

    def in_store(self) -> Self:
        """Those whose bytes must be there: not removed as a spill, not purged."""
        return self.filter(purged_at=None)

    def made_or_locked(self, blobs: Sequence[Blob]) -> dict[str, Blob]:
        """The rows of digests by digest, made where there are none, in this order.

        Each is locked until the transaction ends. One statement.
        """
        columns = zip(
            *((b.sha256, b.size_bytes, b.media_type, b.scan_state) for b in blobs),
            strict=True,
        )
        rows = self.raw(MADE_OR_LOCKED, [list(column) for column in columns])
        return {blob.sha256: blob for blob in rows}

    def after(self, sha256: str) -> Self:
        """In the order of their digests, beyond this one."""
        return self.filter(sha256__gt=sha256).order_by("sha256")


class Blob(LeasedJob):
    """Bytes that lie in the store before this row exists. Kept once by sha256.

    The job of a blob is its scan for viruses.
    """

    reason_field: ClassVar[str] = "scan_detail"

    sha256 = models.CharField(max_length=64, unique=True)
    size_bytes = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=120)
    scan_state = models.CharField(
        max_length=12, choices=ScanState, default=ScanState.NOT_SCANNED
    )
    scan_detail = models.CharField(max_length=300, blank=True, default="")
    attempts = models.PositiveIntegerField(
        default=0, db_default=0, db_column="scan_attempts"
    )
    # null: nobody has looked
    scanned_at = models.DateTimeField(null=True, blank=True)
    # null: nobody scans it
    leased_until = models.DateTimeField(
        null=True, blank=True, db_column="scan_leased_until"
    )
    # null: the bytes are there
    purged_at = models.DateTimeField(null=True, blank=True)
    # why the bytes are gone; empty: as a spill, or they are there
    purged_for = models.CharField(
        max_length=10,
        choices=PurgedFor,
        blank=True,
        default="",
        db_default="",
        editable=False,
    )
    # whether the bucket's own legal hold lies on the bytes, as last set there
    held_in_store = models.BooleanField(default=False, db_default=False, editable=False)
    # null: in no system; set: systems (keys) in which it was removed as a spill
    removed_in = ArrayField(
        models.BigIntegerField(), null=True, blank=True, editable=False
    )
    stored_at = models.DateTimeField(db_default=models.functions.Now(), editable=False)

    objects = BlobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="blob_digest_is_sha256",
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
            ),
            models.CheckConstraint(
                name="blob_is_not_empty", condition=Q(size_bytes__gt=0)
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="blob_waits_for_scan",
                condition=Q(scan_state__in=["pending", "error"]),
            )
        ]

    def __str__(self) -> str:
        return self.sha256[:12]

    def fate(self) -> str:
        """What became of bytes that are not there for a system, as pages say it."""
        if self.purged_for == PurgedFor.RETENTION:
            day = f"{self.purged_at:%Y-%m-%d}"
            return (
                f"was purged on {day}, after the end of its retention; its digest and"
                " record remain."
            )
        return "was removed as a spill; its digest and record remain."

    def is_removed_in(self, system_pk: int) -> bool:
        """Whether it was removed as a spill from a system, or is gone from the store.

        Its bytes may be there still, while records of another system rest on them.
        """
        return self.purged_at is not None or system_pk in (self.removed_in or ())
