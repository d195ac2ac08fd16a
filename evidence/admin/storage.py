"""Bytes in the store, what was removed or brought, to look at only."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from evidence.models import (
    Arrival,
    AuditLogCheck,
    Blob,
    SpillRemoval,
    StoreCheck,
    TeamDay,
)


@admin.register(Blob)
class BlobAdmin(ReadOnlyAdmin):
    """Bytes in the store."""

    superuser_only = True
    list_display = ("sha256", "size_bytes", "media_type", "scan_state", "stored_at")
    list_filter = ("scan_state", "media_type")
    search_fields = ("sha256",)
    date_hierarchy = "stored_at"


@admin.register(Arrival)
class ArrivalAdmin(ReadOnlyAdmin):
    """Digests that uploads under way will name, which no sweep deletes."""

    superuser_only = True
    list_display = ("sha256", "spared_until")
    search_fields = ("sha256",)


@admin.register(StoreCheck)
class StoreCheckAdmin(ReadOnlyAdmin):
    """How far a check of the store is that runs or broke off."""

    superuser_only = True
    list_display = ("last_sha256", "checked", "changed_at")


@admin.register(AuditLogCheck)
class AuditLogCheckAdmin(ReadOnlyAdmin):
    """What the last checks of each chain of the audit log came to."""

    superuser_only = True
    list_display = (
        "chain",
        "checkpoint_fault",
        "chain_fault",
        "checked_at",
        "verified_at",
    )
    search_fields = ("chain",)


@admin.register(TeamDay)
class TeamDayAdmin(ReadOnlyAdmin):
    """What each team has brought on each day, against its limits."""

    superuser_only = True
    list_display = ("team", "day", "files", "size_bytes")
    list_filter = ("team",)
    list_select_related = ("team",)
    search_fields = ("team__name",)
    date_hierarchy = "day"


@admin.register(SpillRemoval)
class SpillRemovalAdmin(ReadOnlyAdmin):
    """Destroyed bytes: who asked, who decided, what became of them."""

    list_display = ("file", "system", "state", "requested_by", "decided_by")
    list_filter = (("system", RelatedScopeFilter), "state")
    list_select_related = ("file", "system", "requested_by", "decided_by")
    search_fields = ("file__name", "file__blob__sha256", "reason")
