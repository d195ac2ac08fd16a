"""Controls as systems implement them. Systems themselves: `evidence.admin`."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.people import OfSystemAdmin
from controls.admin.scoped import RelatedScopeFilter
from controls.models import ControlImplementation


@admin.register(ControlImplementation)
class ControlImplementationAdmin(OfSystemAdmin):
    """Owner, status and statement of our part; classes are decided elsewhere."""

    verb_noun = "implementation"
    list_display = (
        "control",
        "system",
        "responsibility",
        "implementation_status",
        "applicability",
        "owner_team",
    )
    list_filter = (
        ("system", RelatedScopeFilter),
        "responsibility",
        "implementation_status",
        "applicability",
        "owner_team",
    )
    list_select_related = ("control", "system", "owner_team")
    search_fields = ("control__label", "control__ref_id", "control__title")
    fields = (
        "system",
        "control",
        "responsibility",
        "applicability",
        "owner_team",
        "implementation_status",
        "customer_statement",
        "seen_version",
    )
    readonly_fields = ("system", "control", "responsibility", "applicability")

    def has_add_permission(self, request: object) -> bool:
        """Made when a system is described."""
        return False
