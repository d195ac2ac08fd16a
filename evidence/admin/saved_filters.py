"""Filters that people saved; for administrators to look at."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin
from evidence.models import SavedFilter


@admin.register(SavedFilter)
class SavedFilterAdmin(ReadOnlyAdmin):
    """Names and filters of the list of controls."""

    superuser_only = True
    list_display = ("name", "user", "system", "query")
    list_filter = ("system",)
    list_select_related = ("user", "system")
    search_fields = ("name", "user__email")
