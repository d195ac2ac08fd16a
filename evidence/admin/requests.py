"""Requests for evidence, their answers and what came of them, to look at only."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from evidence.models import (
    EvidenceRequest,
    RequestAnswer,
    RequestJudgement,
)


@admin.register(EvidenceRequest)
class EvidenceRequestAdmin(ReadOnlyAdmin):
    """What officers and auditors ask to see."""

    list_display = ("title", "system", "team", "due_on", "state", "asked_by")
    list_filter = (("system", RelatedScopeFilter), "state", "team")
    list_select_related = ("system", "team", "asked_by")
    search_fields = ("number", "title", "what", "uuid__exact")
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
