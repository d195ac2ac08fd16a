"""Evidence, its reviews and what status reads, to look at only."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from evidence.models import (
    Evidence,
    EvidenceFile,
    EvidenceLink,
    EvidenceRevision,
    FileClearance,
    Proof,
    Review,
)


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyAdmin):
    """Evidence as submitted."""

    list_display = (
        "title",
        "system",
        "team",
        "sensitivity",
        "created_by",
        "known_from",
    )
    list_filter = (("system", RelatedScopeFilter), "team", "sensitivity")
    list_select_related = ("system", "team", "created_by")
    search_fields = ("title", "source_system", "uuid__exact")
    date_hierarchy = "known_from"


@admin.register(EvidenceRevision)
class EvidenceRevisionAdmin(ReadOnlyAdmin):
    """Files and dates at one time."""

    plumbing = True
    scope_path = "evidence"
    list_display = ("evidence", "number", "kind", "performed_on", "uploaded_by")
    list_filter = ("kind",)
    list_select_related = ("evidence", "uploaded_by")
    search_fields = ("evidence__title", "digest")
    date_hierarchy = "performed_on"


@admin.register(EvidenceFile)
class EvidenceFileAdmin(ReadOnlyAdmin):
    """Files by name; the bytes are served by one page only."""

    scope_path = "revision__evidence"
    list_display = ("name", "revision", "blob", "position")
    list_select_related = ("revision__evidence", "blob")
    search_fields = ("name", "blob__sha256")


@admin.register(FileClearance)
class FileClearanceAdmin(ReadOnlyAdmin):
    """Flagged files that an officer let pass, and why."""

    scope_path = "file"
    list_display = ("file", "officer", "reason", "known_from")
    list_filter = (("file__revision__evidence__system", RelatedScopeFilter),)
    list_select_related = ("file", "officer")
    search_fields = ("file__name", "reason")
    date_hierarchy = "known_from"


@admin.register(EvidenceLink)
class EvidenceLinkAdmin(ReadOnlyAdmin):
    """What proves what; decided in the review queue."""

    list_display = (
        "revision",
        "implementation",
        "half",
        "state",
        "proves_from",
        "proves_to",
        "submitted_by",
    )
    list_filter = (("system", RelatedScopeFilter), "state", "half")
    list_select_related = (
        "revision__evidence",
        "implementation__control",
        "implementation__system",
        "submitted_by",
    )
    search_fields = ("revision__evidence__title", "implementation__control__label")
    date_hierarchy = "submitted_at"


@admin.register(Review)
class ReviewAdmin(ReadOnlyAdmin):
    """Who judged which bytes."""

    scope_path = "link"
    list_display = ("link", "decision", "reviewer_name", "performed_on", "known_from")
    list_filter = ("decision",)
    list_select_related = (
        "link__revision__evidence",
        "link__implementation__control",
        "reviewer",
    )
    search_fields = ("reviewer_name", "digest", "reason")
    date_hierarchy = "known_from"


@admin.register(Proof)
class ProofAdmin(ReadOnlyAdmin):
    """What status reads."""

    plumbing = True
    scope_path = "system"
    list_display = ("implementation", "half", "state", "starts", "ends", "known_from")
    list_filter = (("system", RelatedScopeFilter), "state", "half")
    list_select_related = ("implementation__control", "implementation__system")
    search_fields = ("implementation__control__label",)
    date_hierarchy = "known_from"
