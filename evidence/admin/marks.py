"""What auditors marked, to look at only: it is written on their own pages."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from evidence.models import ControlMark, TestedItem


@admin.register(ControlMark)
class ControlMarkAdmin(ReadOnlyAdmin):
    """What the auditors of an engagement say of a control."""

    list_display = ("implementation", "engagement", "state", "reference", "marked_by")
    list_filter = (("system", RelatedScopeFilter), "state")
    list_select_related = (
        "implementation__control",
        "implementation__system",
        "engagement",
        "marked_by",
    )
    search_fields = ("implementation__control__label", "reference")
    date_hierarchy = "marked_at"


@admin.register(TestedItem)
class TestedItemAdmin(ReadOnlyAdmin):
    """What the auditors of an engagement found of a sampled event."""

    list_display = ("sample_item", "engagement", "result", "tested_by", "tested_at")
    list_filter = (("system", RelatedScopeFilter), "result")
    list_select_related = ("sample_item__item", "engagement", "tested_by")
    search_fields = ("sample_item__item__key",)
    date_hierarchy = "tested_at"
