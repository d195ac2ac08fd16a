"""Files of providers' reports and who has seen them; changed on their own pages."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin
from evidence.models import (
    DisclosureRecord,
    ReportFetch,
    ReportFile,
    ReportFileClearance,
    ReportFileRemoval,
    ReportRelease,
    TermConfirmation,
)


@admin.register(ReportFile)
class ReportFileAdmin(ReadOnlyAdmin):
    """Held files: digests and terms, not their bytes."""

    scope_path = "artifact_version__artifact"
    list_display = ("name", "artifact_version", "agreement", "held_by", "known_from")
    list_select_related = ("artifact_version__artifact", "held_by")
    search_fields = ("name", "sha256", "agreement")
    date_hierarchy = "known_from"


@admin.register(DisclosureRecord)
class DisclosureRecordAdmin(ReadOnlyAdmin):
    """Who has seen reports, and who was given a copy."""

    list_display = (
        "artifact_version",
        "kind",
        "person_name",
        "recipient",
        "firm",
        "disclosed_on",
    )
    list_filter = ("kind",)
    list_select_related = ("artifact_version__artifact",)
    search_fields = ("person_name", "recipient", "firm")
    date_hierarchy = "known_from"


@admin.register(ReportFileClearance)
class ReportFileClearanceAdmin(ReadOnlyAdmin):
    """Flagged reports that a second person let pass."""

    plumbing = True
    scope_path = "file__artifact_version__artifact"
    list_display = ("file", "cleared_by", "held_by", "reason")
    list_select_related = ("file", "cleared_by", "held_by")
    search_fields = ("file__name", "reason")
    date_hierarchy = "known_from"


@admin.register(TermConfirmation)
class TermConfirmationAdmin(ReadOnlyAdmin):
    """Who confirmed the term of which file."""

    plumbing = True
    superuser_only = True
    list_display = ("file", "person", "known_from")
    list_select_related = ("file", "person")
    search_fields = ("file__name", "person__email")
    date_hierarchy = "known_from"


@admin.register(ReportRelease)
class ReportReleaseAdmin(ReadOnlyAdmin):
    """Which files were released to which audit."""

    scope_path = "engagement__system"
    list_display = ("file", "engagement", "released_by", "taken_back_by")
    list_select_related = ("file", "engagement", "released_by", "taken_back_by")
    search_fields = ("file__name", "reason")
    date_hierarchy = "known_from"


@admin.register(ReportFileRemoval)
class ReportFileRemovalAdmin(ReadOnlyAdmin):
    """Held files that were taken away, or are asked to be."""

    scope_path = "file__artifact_version__artifact"
    list_display = ("file", "state", "requested_by", "decided_by", "outcome")
    list_filter = ("state",)
    list_select_related = ("file", "requested_by", "decided_by")
    search_fields = ("file__name", "reason")
    date_hierarchy = "known_from"


@admin.register(ReportFetch)
class ReportFetchAdmin(ReadOnlyAdmin):
    """Reports fetched from AWS Artifact by a person."""

    list_display = ("listed", "state", "asked_by", "accepted_by", "created_at")
    list_filter = ("state",)
    list_select_related = ("listed", "asked_by", "accepted_by")
    search_fields = ("listed__name", "listed__aws_id")
    date_hierarchy = "created_at"
