"""What is asked of our half: words, team and lead time can be tuned."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from controls import clock
from controls.admin.people import OfSystemAdmin
from controls.admin.scoped import ReadOnlyAdmin, RelatedScopeFilter
from controls.errors import TransitionNotAllowed
from evidence.admin.choosing import choosers
from evidence.bulk_acts.change_of_asks import STATED_LATER
from evidence.models import (
    AskStanding,
    EvidenceRequirement,
    RequirementControl,
    RequirementTerms,
    StandingMark,
)
from evidence.requirements.changes import NewTerms, change_requirement
from evidence.requirements.terms import next_stated
from srm_project.requests import actor_of


@admin.register(RequirementControl)
class RequirementControlAdmin(OfSystemAdmin):
    """What is asked of our half. Words, team and lead time are changed from today on;
    cadence, grace and days are set where the reason for them is given."""

    verb_noun = "requirement"
    list_per_page = 100
    ordering = ("system__name", "implementation__control__sort_order", "pk")
    list_display = (
        "control",
        "title",
        "cadence",
        "purpose",
        "owner_team",
        "operates_until",
        "system",
    )
    autocomplete_fields = ("owner_team",)
    actions = choosers(["cadence", "team"])
    list_filter = (
        ("system", RelatedScopeFilter),
        "cadence",
        "purpose",
        "origin",
        "owner_team",
    )
    list_select_related = (
        "system",
        "implementation__control",
        "implementation__system",
        "owner_team",
    )
    search_fields = (
        "title",
        "implementation__control__label",
        "implementation__control__ref_id",
    )
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
        "operates_until",
    )

    @admin.display(
        description="control", ordering="implementation__control__sort_order"
    )
    def control(self, row: RequirementControl) -> str:
        """The id of its control."""
        return row.implementation.control.label

    def save_model(
        self, request: HttpRequest, obj: Any, form: ModelForm, change: bool
    ) -> None:
        """Change it by the verb that pages and API call."""
        stored = RequirementControl.objects.get(pk=obj.pk)
        today = stored.system.day_of(clock.now())
        if (later := next_stated(stored.ask, today)) and form.changed_data:
            raise TransitionNotAllowed(STATED_LATER.format(later))
        change_requirement(
            stored,
            NewTerms.stated_by(obj),
            version=form.cleaned_data.get("seen_version"),
            by=actor_of(request),
            today=today,
        )
        obj.refresh_from_db()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Asked from templates when classes are decided."""
        return False


@admin.register(EvidenceRequirement)
class EvidenceRequirementAdmin(ReadOnlyAdmin):
    """Asks: what they say stands in their terms, whom they name in their rows."""

    plumbing = True
    list_display = ("uuid", "system", "known_from")
    list_filter = (("system", RelatedScopeFilter),)
    list_select_related = ("system",)
    search_fields = ("uuid", "terms__title")
    date_hierarchy = "known_from"


@admin.register(RequirementTerms)
class RequirementTermsAdmin(ReadOnlyAdmin):
    """What asks say on which days; changed on the page of what is asked."""

    plumbing = True
    scope_path = "ask__system"
    list_display = ("title", "cadence", "grace_days", "days", "owner_team", "change")
    list_filter = ("cadence", "purpose")
    list_select_related = ("owner_team", "change")
    search_fields = ("title",)
    date_hierarchy = "known_from"


@admin.register(AskStanding)
class AskStandingAdmin(ReadOnlyAdmin):
    """Where each row that is asked stands, as it is kept for lists."""

    plumbing = True
    scope_path = "system"
    list_display = ("requirement", "system", "team", "due", "open_due", "holds_until")
    list_filter = (("system", RelatedScopeFilter), "waiting", "rejected")
    list_select_related = ("requirement", "system", "team")


@admin.register(StandingMark)
class StandingMarkAdmin(ReadOnlyAdmin):
    """Rows whose kept standing is to be made anew."""

    superuser_only = True
    list_display = ("requirement_id", "written_by")
