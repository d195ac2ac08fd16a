"""Observations, findings, responses and the decisions on them, to look at only."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from evidence.models import (
    Disposition,
    DispositionDecision,
    FailingObservation,
    Finding,
    FindingImport,
    ItemResponse,
    ResponseDecision,
    SourceReport,
)

OF_SYSTEM = ("system", RelatedScopeFilter)


@admin.register(FailingObservation)
class FailingObservationAdmin(ReadOnlyAdmin):
    """What was seen to fail."""

    scope_path = "system"
    list_display = ("implementation", "observed_on", "source", "recorder_name")
    list_filter = (OF_SYSTEM,)
    list_select_related = ("implementation__control", "implementation__system")
    search_fields = ("source", "text", "recorder_name")
    date_hierarchy = "observed_on"


@admin.register(Finding)
class FindingAdmin(ReadOnlyAdmin):
    """What somebody has to mend."""

    scope_path = "system"
    list_display = ("title", "implementation", "severity", "found_on", "recorder_name")
    list_filter = (OF_SYSTEM, "severity")
    list_select_related = ("implementation__control", "implementation__system")
    search_fields = ("title", "text", "source", "recorder_name")
    date_hierarchy = "found_on"


@admin.register(FindingImport)
class FindingImportAdmin(ReadOnlyAdmin):
    """Files of findings that were imported."""

    scope_path = "system"
    list_display = ("file_name", "system", "made", "again", "passed", "importer_name")
    list_filter = (OF_SYSTEM,)
    list_select_related = ("system",)
    search_fields = ("file_name", "sha256", "importer_name")
    date_hierarchy = "known_from"


@admin.register(SourceReport)
class SourceReportAdmin(ReadOnlyAdmin):
    """What the sources of observations called them, file by file."""

    scope_path = "system"
    list_display = ("finding_id", "observation", "result", "reported_at", "imported")
    list_filter = (OF_SYSTEM, "result")
    list_select_related = (
        "imported__system",
        "observation__implementation__control",
        "observation__implementation__system",
    )
    search_fields = ("finding_id", "account")
    date_hierarchy = "reported_at"


@admin.register(Disposition)
class DispositionAdmin(ReadOnlyAdmin):
    """What was asked for."""

    scope_path = "system"
    list_display = ("kind", "finding", "observation", "requester_name", "requested_on")
    list_filter = (OF_SYSTEM, "kind")
    list_select_related = ("finding", "observation", "system")
    search_fields = ("text", "requester_name")
    date_hierarchy = "requested_on"


@admin.register(DispositionDecision)
class DispositionDecisionAdmin(ReadOnlyAdmin):
    """What second persons decided."""

    scope_path = "system"
    list_display = ("disposition", "decision", "reviewer_name", "decided_on")
    list_filter = (OF_SYSTEM, "decision")
    list_select_related = (
        "disposition__finding",
        "disposition__observation",
        "system",
    )
    search_fields = ("reviewer_name", "reason", "official")
    date_hierarchy = "decided_on"


@admin.register(ItemResponse)
class ItemResponseAdmin(ReadOnlyAdmin):
    """What the company responded."""

    scope_path = "system"
    list_display = ("implementation", "kind", "title", "starts", "responder_name")
    list_filter = (OF_SYSTEM, "kind")
    list_select_related = ("implementation__control", "implementation__system")
    search_fields = ("title", "cause", "responder_name")
    date_hierarchy = "responded_on"


@admin.register(ResponseDecision)
class ResponseDecisionAdmin(ReadOnlyAdmin):
    """What second persons decided on responses."""

    scope_path = "system"
    list_display = ("response", "decision", "reviewer_name", "decided_on")
    list_filter = (OF_SYSTEM, "decision")
    list_select_related = ("response", "system")
    search_fields = ("reviewer_name", "reason")
    date_hierarchy = "decided_on"
