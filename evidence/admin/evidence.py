"""Requirements can be tuned; evidence, reviews and proof are looked at only."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from controls.admin.people import OfSystemAdmin
from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from evidence.models import (
    Blob,
    Deviation,
    Evidence,
    EvidenceFile,
    EvidenceLink,
    EvidenceRequest,
    EvidenceRequirement,
    EvidenceRevision,
    FileClearance,
    Population,
    PopulationItem,
    PopulationReview,
    Proof,
    RequestAnswer,
    RequestJudgement,
    Review,
    Sample,
    SampleItem,
    SpillRemoval,
    StoreCheck,
    TeamDay,
)


@admin.register(EvidenceRequirement)
class EvidenceRequirementAdmin(OfSystemAdmin):
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


@admin.register(Blob)
class BlobAdmin(ReadOnlyAdmin):
    """Bytes in the store."""

    superuser_only = True
    list_display = ("sha256", "size_bytes", "media_type", "scan_state", "stored_at")
    list_filter = ("scan_state", "media_type")
    search_fields = ("sha256",)
    date_hierarchy = "stored_at"


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

    scope_path = "system"
    list_display = ("implementation", "half", "state", "starts", "ends", "known_from")
    list_filter = (("system", RelatedScopeFilter), "state", "half")
    list_select_related = ("implementation__control", "implementation__system")
    search_fields = ("implementation__control__label",)
    date_hierarchy = "known_from"


@admin.register(FileClearance)
class FileClearanceAdmin(ReadOnlyAdmin):
    """Flagged files that an officer let pass, and why."""

    scope_path = "file"
    list_display = ("file", "officer", "reason", "known_from")
    list_filter = (("file__revision__evidence__system", RelatedScopeFilter),)
    list_select_related = ("file", "officer")
    search_fields = ("file__name", "reason")
    date_hierarchy = "known_from"


@admin.register(SpillRemoval)
class SpillRemovalAdmin(ReadOnlyAdmin):
    """Destroyed bytes: who asked, who decided, what became of them."""

    list_display = ("file", "system", "state", "requested_by", "decided_by")
    list_filter = (("system", RelatedScopeFilter), "state")
    list_select_related = ("file", "system", "requested_by", "decided_by")
    search_fields = ("file__name", "file__blob__sha256", "reason")


@admin.register(EvidenceRequest)
class EvidenceRequestAdmin(ReadOnlyAdmin):
    """What officers and auditors ask to see."""

    list_display = ("title", "system", "team", "due_on", "state", "asked_by")
    list_filter = (("system", RelatedScopeFilter), "state", "team")
    list_select_related = ("system", "team", "asked_by")
    search_fields = ("title", "what", "uuid__exact")
    date_hierarchy = "due_on"


@admin.register(RequestAnswer)
class RequestAnswerAdmin(ReadOnlyAdmin):
    """Evidence offered as answers."""

    scope_path = "request"
    list_display = ("request", "revision", "answered_by", "known_from")
    list_select_related = ("request", "revision__evidence", "answered_by")
    search_fields = ("request__title", "revision__evidence__title", "note")
    date_hierarchy = "known_from"


@admin.register(RequestJudgement)
class RequestJudgementAdmin(ReadOnlyAdmin):
    """What came of requests, and why."""

    scope_path = "request"
    list_display = ("request", "became", "judged_by", "known_from")
    list_filter = ("became",)
    list_select_related = ("request", "judged_by")
    search_fields = ("request__title", "reason")
    date_hierarchy = "known_from"


@admin.register(TeamDay)
class TeamDayAdmin(ReadOnlyAdmin):
    """What each team has brought on each day, against its limits."""

    superuser_only = True
    list_display = ("team", "day", "files", "size_bytes")
    list_filter = ("team",)
    list_select_related = ("team",)
    search_fields = ("team__name",)
    date_hierarchy = "day"


@admin.register(StoreCheck)
class StoreCheckAdmin(ReadOnlyAdmin):
    """How far a check of the store is that runs or broke off."""

    superuser_only = True
    list_display = ("last_sha256", "checked", "changed_at")


@admin.register(Population)
class PopulationAdmin(ReadOnlyAdmin):
    """Events of some days, as somebody brought them."""

    list_display = ("requirement", "starts", "ends", "row_count", "drawn_by")
    list_filter = (("system", RelatedScopeFilter), "team")
    list_select_related = ("requirement", "drawn_by", "system")
    search_fields = ("requirement__title", "source", "sha256")
    date_hierarchy = "ends"


@admin.register(PopulationReview)
class PopulationReviewAdmin(ReadOnlyAdmin):
    """Who found which population complete and accurate."""

    scope_path = "population"
    list_display = ("population", "decision", "reviewer_name", "known_from")
    list_filter = ("decision",)
    list_select_related = ("population__requirement",)
    search_fields = ("reviewer_name", "reason")
    date_hierarchy = "known_from"


@admin.register(PopulationItem)
class PopulationItemAdmin(ReadOnlyAdmin):
    """Single events."""

    scope_path = "population"
    list_display = ("key", "happened_on", "position", "population")
    list_select_related = ("population__requirement",)
    search_fields = ("key__exact",)


@admin.register(Sample)
class SampleAdmin(ReadOnlyAdmin):
    """What was drawn, how and why."""

    list_display = ("population", "method", "size", "seed", "drawn_by", "drawn_at")
    list_filter = (("system", RelatedScopeFilter), "method")
    list_select_related = ("population__requirement", "drawn_by", "system")
    search_fields = ("reason", "seed")
    date_hierarchy = "drawn_at"


@admin.register(SampleItem)
class SampleItemAdmin(ReadOnlyAdmin):
    """Sampled events."""

    scope_path = "sample"
    list_display = ("item", "sample")
    list_select_related = ("item", "sample__population__requirement")
    search_fields = ("item__key__exact",)


@admin.register(Deviation)
class DeviationAdmin(ReadOnlyAdmin):
    """Sampled events that were not handled as asked."""

    scope_path = "sample_item"
    list_display = ("sample_item", "note", "recorded_by", "known_from")
    list_filter = (("system", RelatedScopeFilter),)
    list_select_related = ("sample_item__item", "recorded_by", "system")
    search_fields = ("note", "sample_item__item__key")
    date_hierarchy = "known_from"
