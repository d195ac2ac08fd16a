"""What was decided and what happened: looked at, never edited."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from controls.models import (
    AlternativeImplementation,
    ApplicabilityDecision,
    AuditEvent,
    Basis,
    Crosswalk,
    CrosswalkNumber,
    DutyAcknowledgement,
    EndRequest,
    ImplementationStatement,
    ProviderDocument,
    ProviderStatement,
    ResponsibilityDecision,
    ResponsibilityOverride,
    RetrospectiveChange,
    SystemTerms,
)


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """The audit log."""

    list_display = ("at", "verb", "subject_label", "actor_name", "chain", "seq")
    list_select_related = ("actor",)
    search_fields = ("verb", "subject_label", "actor_name", "subject_uuid__exact")
    date_hierarchy = "at"
    ordering = ("-at", "-seq")


@admin.register(Basis)
class BasisAdmin(ReadOnlyAdmin):
    """Reasons of decisions, each once."""

    superuser_only = True
    list_display = ("digest",)
    search_fields = ("digest",)


@admin.register(ResponsibilityDecision)
class ResponsibilityDecisionAdmin(ReadOnlyAdmin):
    """Which class held when, and since when that is known."""

    list_display = (
        "implementation",
        "responsibility",
        "source",
        "effective",
        "decided_by",
        "known_from",
    )
    list_filter = (
        "responsibility",
        "source",
        ("implementation__system", RelatedScopeFilter),
    )
    list_select_related = (
        "implementation__control",
        "implementation__system",
        "decided_by",
    )
    search_fields = ("implementation__control__label", "reason")
    date_hierarchy = "known_from"


class RequestAdmin(ReadOnlyAdmin):
    """Requests that a second person decides, on the control's page."""

    scope_path = "implementation"
    list_filter = ("state", ("implementation__system", RelatedScopeFilter))
    list_select_related = (
        "implementation__control",
        "implementation__system",
        "requested_by",
        "decided_by",
    )
    date_hierarchy = "known_from"


@admin.register(ResponsibilityOverride)
class ResponsibilityOverrideAdmin(RequestAdmin):
    """Classes that hold instead of the derived ones."""

    list_display = (
        "implementation",
        "responsibility",
        "state",
        "starts_on",
        "ends_on",
        "requested_by",
        "decided_by",
    )
    search_fields = ("implementation__control__label", "reason", "citation")


@admin.register(ApplicabilityDecision)
class ApplicabilityDecisionAdmin(RequestAdmin):
    """Controls left out, and why."""

    list_display = (
        "implementation",
        "state",
        "review_by",
        "requested_by",
        "decided_by",
    )
    search_fields = ("implementation__control__label", "justification")


@admin.register(AlternativeImplementation)
class AlternativeImplementationAdmin(RequestAdmin):
    """Controls met in another way than they say."""

    list_display = (
        "implementation",
        "state",
        "starts_on",
        "review_by",
        "ended_on",
        "requested_by",
        "decided_by",
    )
    search_fields = ("implementation__control__label", "constraint", "objective")


@admin.register(ImplementationStatement)
class ImplementationStatementAdmin(ReadOnlyAdmin):
    """How far controls were, on which days, and who said it when."""

    plumbing = True
    scope_path = "implementation"
    list_display = (
        "implementation",
        "status",
        "days",
        "stated_on",
        "stated_by",
        "in_bulk",
    )
    list_filter = ("status", ("implementation__system", RelatedScopeFilter))
    list_select_related = (
        "implementation__control",
        "implementation__system",
        "stated_by",
    )
    search_fields = ("implementation__control__label",)
    date_hierarchy = "known_from"


@admin.register(EndRequest)
class EndRequestAdmin(ReadOnlyAdmin):
    """Early ends of overrides and exclusions, decided on the control's page."""

    list_display = (
        "implementation",
        "ends_from",
        "state",
        "requested_by",
        "decided_by",
    )
    list_filter = ("state", ("implementation__system", RelatedScopeFilter))
    list_select_related = (
        "implementation__control",
        "implementation__system",
        "requested_by",
        "decided_by",
    )
    search_fields = ("implementation__control__label", "reason")
    date_hierarchy = "known_from"


@admin.register(RetrospectiveChange)
class RetrospectiveChangeAdmin(ReadOnlyAdmin):
    """Changes of what held before, decided on the system's own page."""

    list_display = (
        "system",
        "kind",
        "first_day",
        "state",
        "requested_by",
        "decided_by",
    )
    list_filter = ("state", "kind", ("system", RelatedScopeFilter))
    list_select_related = ("system", "requested_by", "decided_by")
    search_fields = ("reason",)
    date_hierarchy = "known_from"


@admin.register(ProviderDocument)
class ProviderDocumentAdmin(ReadOnlyAdmin):
    """Imported and ended on their own page."""

    list_display = (
        "title",
        "reference",
        "system",
        "starts_on",
        "ended_on",
        "state",
        "imported_by",
    )
    list_filter = ("state", ("system", RelatedScopeFilter))
    list_select_related = ("system", "imported_by")
    search_fields = ("title", "reference", "sha256")
    date_hierarchy = "starts_on"


@admin.register(Crosswalk)
class CrosswalkAdmin(ReadOnlyAdmin):
    """The regime's own numbers, imported on their own page."""

    list_display = ("title", "system", "starts_on", "ended_on", "imported_by")
    list_filter = (("system", RelatedScopeFilter),)
    list_select_related = ("system", "imported_by")
    search_fields = ("title", "sha256")
    date_hierarchy = "starts_on"


@admin.register(CrosswalkNumber)
class CrosswalkNumberAdmin(ReadOnlyAdmin):
    """Which number stands beside which control."""

    scope_path = "implementation"
    list_display = ("number", "implementation", "crosswalk")
    list_select_related = (
        "crosswalk",
        "implementation__control",
        "implementation__system",
    )
    search_fields = ("number", "=implementation__control__ref_id")


@admin.register(DutyAcknowledgement)
class DutyAcknowledgementAdmin(ReadOnlyAdmin):
    """Which team has read its duties in a system, and who said so."""

    list_display = ("team", "system", "acknowledged_by", "known_from")
    list_filter = (("system", RelatedScopeFilter),)
    list_select_related = ("team", "system", "acknowledged_by")
    search_fields = ("team__name",)
    date_hierarchy = "known_from"


@admin.register(ProviderStatement)
class ProviderStatementAdmin(ReadOnlyAdmin):
    """What documents say of controls, beside what the template said then."""

    plumbing = True
    list_display = ("implementation", "responsibility", "template_class", "document")
    list_filter = (
        "responsibility",
        "template_class",
        ("document__system", RelatedScopeFilter),
    )
    list_select_related = (
        "document",
        "implementation__control",
        "implementation__system",
    )
    search_fields = ("implementation__control__label", "text")


@admin.register(SystemTerms)
class SystemTermsAdmin(ReadOnlyAdmin):
    """What systems are judged by, on which days, and who said it when."""

    plumbing = True
    scope_path = "system"
    list_display = (
        "system",
        "regime",
        "impact_level",
        "partition",
        "currency_days",
        "letter_months",
        "days",
        "stated_on",
        "stated_by",
    )
    list_filter = ("regime", ("system", RelatedScopeFilter))
    list_select_related = ("system", "stated_by")
    search_fields = ("system__name", "system__slug")
