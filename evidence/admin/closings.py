"""Closed windows, to look at only: they are closed on the audit's own page."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from evidence.models import WindowClosing


@admin.register(WindowClosing)
class WindowClosingAdmin(ReadOnlyAdmin):
    """Windows of engagements: asked to be closed, closed, refused."""

    list_display = ("engagement", "state", "requested_by", "decided_by", "closed_at")
    list_filter = (("system", RelatedScopeFilter), "state")
    list_select_related = ("engagement", "requested_by", "decided_by")
    search_fields = ("engagement__title", "engagement__firm")
    date_hierarchy = "requested_at"
