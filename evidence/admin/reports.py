"""Providers' reports and our exports; registered and reviewed on their own pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from controls.models import System
from evidence.admin.choosing import choosers
from evidence.artifacts.citation_decisions import waiting_citations
from evidence.artifacts.coverage_targets import label_of_line
from evidence.models import (
    Artifact,
    ArtifactCoverage,
    ArtifactSync,
    ArtifactVersion,
    Citation,
    ContinuityLetter,
    CoverageLine,
    Export,
    LetterAcceptance,
    ListedReport,
    RelianceReview,
    RemarkAnswer,
    RemarkDecision,
    ReportRemark,
    ScopeSetting,
)
from srm_project.requests import actor_of


@admin.register(Artifact)
class ArtifactAdmin(ReadOnlyAdmin):
    """Series of reports."""

    list_display = ("title", "series", "kind", "scheme", "provider", "registered_by")
    list_filter = ("kind", "scheme", "provider")
    list_select_related = ("registered_by",)
    search_fields = ("title", "series")
    date_hierarchy = "known_from"


@admin.register(ArtifactVersion)
class ArtifactVersionAdmin(ReadOnlyAdmin):
    """Reports."""

    scope_path = "artifact"
    list_display = ("artifact", "label", "starts", "until", "state", "registered_by")
    list_filter = ("state", "partition", "impact_level")
    list_select_related = ("artifact", "registered_by")
    search_fields = ("artifact__title", "label", "reference")
    date_hierarchy = "starts"


@admin.register(ContinuityLetter)
class ContinuityLetterAdmin(ReadOnlyAdmin):
    """Letters between reports."""

    scope_path = "artifact_version__artifact"
    list_display = (
        "artifact_version",
        "issued_on",
        "starts",
        "until",
        "registered_by",
    )
    list_select_related = ("artifact_version__artifact", "registered_by")
    search_fields = ("artifact_version__label",)
    date_hierarchy = "issued_on"


@admin.register(ArtifactSync)
class ArtifactSyncAdmin(ReadOnlyAdmin):
    """Readings of AWS Artifact's list."""

    list_display = ("created_at", "state", "read", "registered", "failed", "asked_by")
    list_filter = ("state",)
    list_select_related = ("asked_by",)
    date_hierarchy = "created_at"


@admin.register(ListedReport)
class ListedReportAdmin(ReadOnlyAdmin):
    """What AWS Artifact lists."""

    list_display = (
        "name",
        "aws_version",
        "period_start",
        "period_end",
        "is_published",
        "artifact_version",
    )
    list_filter = ("is_published", "category")
    list_select_related = ("artifact_version__artifact",)
    search_fields = ("name", "aws_id")


@admin.register(ArtifactCoverage)
class ArtifactCoverageAdmin(ReadOnlyAdmin):
    """What series speak to."""

    plumbing = True
    scope_path = "artifact"
    list_display = ("artifact", "control", "citation", "cited_by")
    list_filter = ("artifact", "control__family")
    list_select_related = ("artifact", "control", "cited_by")
    search_fields = ("control__label", "citation")
    date_hierarchy = "known_from"


@admin.register(CoverageLine)
class CoverageLineAdmin(ReadOnlyAdmin):
    """What single reports speak to."""

    scope_path = "artifact_version__artifact"
    list_display = (
        "control_label",
        "artifact_version",
        "section",
        "page",
        "provider_control",
        "origin",
        "confirmed_by",
    )
    list_filter = (("confirmed_by", admin.EmptyFieldListFilter), "origin")
    list_select_related = (
        "control",
        "artifact_version__artifact",
        "confirmed_by",
        "recorded_by",
    )
    search_fields = ("control__label", "section", "provider_control")
    date_hierarchy = "known_from"

    @admin.display(description="control", ordering="control__sort_order")
    def control_label(self, row: CoverageLine) -> str:
        """The control, with the part where the line is for one."""
        return label_of_line(row)


@admin.register(ScopeSetting)
class ScopeSettingAdmin(ReadOnlyAdmin):
    """Who set the scope of reports."""

    plumbing = True
    scope_path = "artifact_version__artifact"
    list_display = ("artifact_version", "set_by", "known_from")
    list_select_related = ("artifact_version__artifact", "set_by")
    search_fields = ("artifact_version__label",)
    date_hierarchy = "known_from"


class StandingFilter(admin.SimpleListFilter):
    """Citations that wait for a second person."""

    title = "standing"
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """What waits, for whoever."""
        return [("waiting", "Waits for a second person")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those that wait in the systems that the person reads."""
        if self.value() != "waiting":
            return queryset
        systems = System.objects.visible_to(actor_of(request))
        waiting = waiting_citations(systems)
        return queryset.filter(pk__in=[one.citation.pk for one in waiting])


@admin.register(Citation)
class CitationAdmin(ReadOnlyAdmin):
    """What systems cite series for."""

    scope_path = "system"
    list_per_page = 100
    ordering = ("system__name", "control__sort_order", "pk")
    list_display = ("control_label", "artifact", "citation", "cited_by", "system")
    list_filter = (
        ("system", RelatedScopeFilter),
        StandingFilter,
        ("artifact", RelatedScopeFilter),
    )
    actions = choosers(["citations"])
    list_select_related = ("system", "artifact", "control", "cited_by")
    search_fields = ("control__label", "citation")

    @admin.display(description="control", ordering="control__sort_order")
    def control_label(self, row: Citation) -> str:
        """The id of the control."""
        return row.control.label


@admin.register(RelianceReview)
class RelianceReviewAdmin(ReadOnlyAdmin):
    """Whether systems rely on reports."""

    scope_path = "system"
    list_display = (
        "artifact_version",
        "system",
        "conclusion",
        "reviewer_name",
        "reviewed_on",
    )
    list_filter = (("system", RelatedScopeFilter), "conclusion")
    list_select_related = ("artifact_version__artifact", "system", "reviewer")
    search_fields = ("reviewer_name", "scope_note")
    date_hierarchy = "reviewed_on"


@admin.register(LetterAcceptance)
class LetterAcceptanceAdmin(ReadOnlyAdmin):
    """Whether letters registered after a review count in systems."""

    scope_path = "system"
    list_display = ("letter", "system", "decision", "reviewer_name", "decided_on")
    list_filter = (("system", RelatedScopeFilter), "decision")
    list_select_related = ("letter", "system")
    search_fields = ("reviewer_name", "reason")
    date_hierarchy = "decided_on"


@admin.register(ReportRemark)
class ReportRemarkAdmin(ReadOnlyAdmin):
    """What reports say that systems have to answer."""

    scope_path = "artifact_version__artifact"
    list_display = ("artifact_version", "kind", "title", "registered_by")
    list_filter = ("kind",)
    list_select_related = ("artifact_version__artifact", "registered_by")
    search_fields = ("title", "text")
    date_hierarchy = "known_from"


@admin.register(RemarkAnswer)
class RemarkAnswerAdmin(ReadOnlyAdmin):
    """What systems answered."""

    scope_path = "system"
    list_display = ("remark", "system", "choice", "answerer_name", "answered_on")
    list_filter = (("system", RelatedScopeFilter), "choice")
    list_select_related = ("remark", "system")
    search_fields = ("answerer_name", "text")
    date_hierarchy = "answered_on"


@admin.register(RemarkDecision)
class RemarkDecisionAdmin(ReadOnlyAdmin):
    """What second persons decided on answers."""

    scope_path = "system"
    list_display = ("answer", "system", "decision", "reviewer_name", "decided_on")
    list_filter = (("system", RelatedScopeFilter), "decision")
    list_select_related = ("answer__remark", "system")
    search_fields = ("reviewer_name", "reason")
    date_hierarchy = "decided_on"


@admin.register(Export)
class ExportAdmin(ReadOnlyAdmin):
    """Exports and where they stand."""

    list_display = ("system", "kind", "on", "state", "requested_by", "requested_at")
    list_filter = (("system", RelatedScopeFilter), "state", "kind")
    list_select_related = ("system", "requested_by")
    search_fields = ("system__name", "sha256")
    date_hierarchy = "requested_at"
