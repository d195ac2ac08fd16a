"""What is asked of our half: words, team and lead time can be tuned."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from controls.admin.people import OfSystemAdmin
from controls.admin.scoped import RelatedScopeFilter
from evidence.models import (
    RequirementControl,
)


@admin.register(RequirementControl)
class RequirementControlAdmin(OfSystemAdmin):
    """What is asked of our half. Cadence is set where the reason for it is given."""

    verb_noun = "requirement"
    list_display = (
        "title",
        "implementation",
        "cadence",
        "purpose",
        "owner_team",
        "operates_from",
        "operates_until",
    )
    list_filter = (
        ("system", RelatedScopeFilter),
        "cadence",
        "purpose",
        "origin",
        "owner_team",
    )
    list_select_related = (
        "implementation__control",
        "implementation__system",
        "owner_team",
    )
    search_fields = ("title", "implementation__control__label")
    date_hierarchy = "operates_from"
    fields = (
        "system",
        "implementation",
        "title",
        "guidance",
        "owner_team",
        "cadence",
        "cadence_source",
        "purpose",
        "grace_days",
        "lead_days",
        "operates_from",
        "operates_until",
        "seen_version",
    )
    readonly_fields = (
        "system",
        "implementation",
        "cadence",
        "cadence_source",
        "purpose",
        "grace_days",
        "operates_from",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Asked from templates when classes are decided."""
        return False
