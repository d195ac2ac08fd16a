"""How long evidence is kept, and what holds it longer, to look at only."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from evidence.models import LegalHold, RetentionClass


@admin.register(RetentionClass)
class RetentionClassAdmin(ReadOnlyAdmin):
    """For how many years systems keep evidence, and since when."""

    list_display = ("system", "years", "change", "known_from")
    list_filter = (("system", RelatedScopeFilter),)
    list_select_related = ("system", "change")
    search_fields = ("system__name", "system__slug")
    date_hierarchy = "known_from"


@admin.register(LegalHold)
class LegalHoldAdmin(ReadOnlyAdmin):
    """What nobody may destroy: who placed it, who lifted it, and why."""

    list_display = ("system", "evidence", "placed_by", "placed_at", "lifted_by")
    list_filter = (("system", RelatedScopeFilter),)
    list_select_related = ("system", "evidence", "placed_by", "lifted_by")
    search_fields = ("evidence__title", "reason", "system__name")
    date_hierarchy = "placed_at"
