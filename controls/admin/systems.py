"""Controls as systems implement them. Systems themselves: `evidence.admin`."""

from __future__ import annotations

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from controls import clock
from controls.admin.people import OfSystemAdmin
from controls.admin.scoped import RelatedScopeFilter
from controls.implementation import describe
from controls.models import ControlImplementation
from srm_project.requests import actor_of


@admin.register(ControlImplementation)
class ControlImplementationAdmin(OfSystemAdmin):
    """Owner, status and statement of our part; classes are decided elsewhere."""

    verb_noun = "implementation"
    list_display = (
        "control",
        "system",
        "responsibility",
        "implementation_status",
        "applicability",
        "owner_team",
    )
    list_filter = (
        ("system", RelatedScopeFilter),
        "responsibility",
        "implementation_status",
        "applicability",
        "owner_team",
    )
    list_select_related = ("control", "system", "owner_team")
    search_fields = ("control__label", "control__ref_id", "control__title")
    fields = (
        "system",
        "control",
        "responsibility",
        "applicability",
        "owner_team",
        "implementation_status",
        "customer_statement",
        "seen_version",
    )
    readonly_fields = ("system", "control", "responsibility", "applicability")

    def save_model(
        self,
        request: HttpRequest,
        obj: ControlImplementation,
        form: ModelForm,
        change: bool,
    ) -> None:
        """Describe it as its page does: what is said of its status holds from today."""
        describe(
            obj,
            implementation_status=obj.implementation_status,
            customer_statement=obj.customer_statement,
            owner_team=obj.owner_team,
            version=form.cleaned_data.get("seen_version"),
            by=actor_of(request),
            today=obj.system.day_of(clock.now()),
        )

    def has_add_permission(self, request: object) -> bool:
        """Made when a system is described."""
        return False
