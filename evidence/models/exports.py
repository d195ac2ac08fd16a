"""A file made for somebody by a job, from one instant of knowledge."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import ClassVar, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from controls.models import Actor, Engagement, System
from evidence.jobs.models import LeasedJob
from evidence.models.blobs import Blob
from evidence.models.closings import WindowClosing


class ExportKind(models.TextChoices):
    """What is exported."""

    STATUS_CSV = "status-csv", "Control status (CSV)"
    STATUS_XLSX = "status-xlsx", "Control status (XLSX)"
    STATUS_PDF = "status-pdf", "Status report (PDF)"
    FEDRAMP_CRM = "fedramp-crm", "FedRAMP CIS/CRM workbook"
    PACKAGE = "evidence-package", "Evidence package"
    OSCAL_SSP = "oscal-ssp", "OSCAL system security plan"
    OSCAL_COMPONENT = "oscal-component", "OSCAL component definition"
    OSCAL_ASSESSMENT_RESULTS = (
        "oscal-assessment-results",
        "OSCAL assessment results",
    )
    MATRIX_CSV = "matrix-csv", "Responsibility matrix (CSV)"
    MATRIX_XLSX = "matrix-xlsx", "Responsibility matrix (XLSX)"
    OSCAL_POAM = "oscal-poam", "OSCAL plan of action and milestones"


class ExportState(models.TextChoices):
    """Where the job stands."""

    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"
    EXPIRED = "expired", "Expired"
    DELETED = "deleted", "Deleted"


class ExportQuerySet(models.QuerySet["Export"]):
    """Exports."""

    def visible_to(self, user: Actor) -> Self:
        """One's own, all of a system for its officers, and what was kept when a window
        closed for the auditors of its engagement."""
        from controls.models import Role

        if user.is_superuser:
            return self
        officer_of = System.objects.held_as(user, [Role.OFFICER])
        seen = System.objects.visible_to(user)
        return self.filter(
            Q(requested_by=user, system__in=seen)
            | Q(system__in=officer_of)
            | Q(closing__engagement__in=Engagement.objects.audited_by(user))
        )

    def kept_for(self, user: Actor) -> Self:
        """Those kept at a closing that the user may take: officers of the system, and
        the auditors of the engagement while they are let in."""
        return self.filter(closing__engagement__in=Engagement.objects.open_to(user))

    def for_listing(self) -> Self:
        """With system and requester, newest first."""
        return self.select_related("system", "requested_by").order_by("-pk")


class Export(LeasedJob):
    """One export: about day `on`, with the knowledge before `known_at`.

    Life cycle: queued -> running -> done | failed | cancelled; running -> queued when
    an attempt failed or has to wait. `failure` says why. A done one ends as expired or
    deleted, without its file (AC-11). One that was made when a window closed stays.
    """

    reason_field: ClassVar[str] = "failure"

    system = models.ForeignKey(System, models.PROTECT, related_name="exports")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="exports"
    )
    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(
        max_length=30, choices=ExportKind, default=ExportKind.STATUS_CSV
    )
    on = models.DateField()
    known_at = models.DateTimeField()
    window_start = models.DateField()
    window_end = models.DateField()
    # of the page of controls: what narrows the rows, by name; empty: all of the system
    filters = models.JSONField(
        default=dict,
        blank=True,
        db_default=models.Value({}, models.JSONField()),
        editable=False,
    )
    # the number of the rules that judged its rows (R35)
    rules = models.PositiveSmallIntegerField(db_default=1, editable=False)
    idempotency_key = models.CharField(max_length=80, unique=True)
    state = models.CharField(
        max_length=10, choices=ExportState, default=ExportState.QUEUED, editable=False
    )
    done_rows = models.PositiveIntegerField(default=0)
    total_rows = models.PositiveIntegerField(default=0)
    failure = models.TextField(blank=True, default="")
    file_name = models.CharField(max_length=200, blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    size_bytes = models.PositiveBigIntegerField(default=0)
    requested_at = models.DateTimeField(
        db_default=models.functions.Now(), editable=False
    )
    # null: asked for by somebody; set: made when this window closed, and kept
    closing = models.ForeignKey(
        WindowClosing,
        models.PROTECT,
        null=True,
        blank=True,
        editable=False,
        related_name="exports",
    )
    # null: the file lies among those that end; set: it is kept in the evidence store
    blob = models.ForeignKey(
        Blob, models.PROTECT, null=True, blank=True, editable=False, related_name="+"
    )
    # null: none; set: files of held reports (keys) that lie in it (R27)
    reports = ArrayField(
        models.BigIntegerField(), null=True, blank=True, editable=False
    )
    # null: not finished
    finished_at = models.DateTimeField(null=True, blank=True)

    view_shown: str = ""  # its filters in words, set by whoever shows it
    objects = ExportQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="export_state_known", condition=Q(state__in=ExportState.values)
            ),
            models.CheckConstraint(
                name="export_done_has_digest",
                condition=~Q(state="done") | Q(sha256__regex=r"^[0-9a-f]{64}$"),
            ),
            models.CheckConstraint(
                name="export_of_closing_is_kept",
                condition=Q(closing=None)
                | Q(state="done", blob__isnull=False)
                | Q(state__in=["queued", "running", "failed"]),
                violation_error_message="What was kept at a closing does not end.",
            ),
            models.UniqueConstraint(
                fields=["closing", "kind"], name="export_once_per_closing"
            ),
        ]

    @property
    def expires_at(self) -> dt.datetime | None:
        """From when on the file of a finished export is not given out any more; None
        for one that is kept."""
        if (
            self.state != ExportState.DONE
            or self.finished_at is None
            or self.closing_id
        ):
            return None
        return self.finished_at + dt.timedelta(days=settings.EXPORT_DAYS)

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.system} on {self.on}"
