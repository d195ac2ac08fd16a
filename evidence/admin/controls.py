"""Controls as systems implement them: owner, status, and acts on many of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from controls import clock
from controls.admin.people import OfSystemAdmin
from controls.admin.scoped import RelatedScopeFilter
from controls.implementation import describe
from controls.models import ControlImplementation, Team
from evidence.admin.choosing import choosers
from evidence.bulk_acts.acts import OF_CONTROLS
from srm_project.requests import actor_of

NEEDED = "needed"  # the owner: nobody, though part of the control is ours


def without_owner() -> Q:
    """Controls that need an owner and have none: part is ours, or nobody knows yet."""
    theirs = Q(responsibility__in=["inherited", "none"])
    return Q(owner_team=None) & ~theirs & ~Q(applicability="not-applicable")


class FamilyFilter(admin.SimpleListFilter):
    """Families of the controls that the person may read."""

    title = "family"
    parameter_name = "family"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Each family that is there, in capitals."""
        rows = model_admin.get_queryset(request).order_by()
        families = rows.values_list("control__family", flat=True).distinct()
        return [(family, family.upper()) for family in sorted(families)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Controls of that family."""
        if family := self.value():
            return queryset.filter(control__family=family)
        return queryset


class OwnerFilter(admin.SimpleListFilter):
    """The team, nobody, or nobody though somebody is needed."""

    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Nobody, and every team."""
        teams = Team.objects.order_by("name").values_list("slug", "name")
        return [(NEEDED, "Nobody, part is ours"), ("nobody", "Nobody"), *teams]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Controls of that owner."""
        owner = self.value()
        if owner == NEEDED:
            return queryset.filter(without_owner())
        if owner == "nobody":
            return queryset.filter(owner_team=None)
        return queryset.filter(owner_team__slug=owner) if owner else queryset


@admin.register(ControlImplementation)
class ControlImplementationAdmin(OfSystemAdmin):
    """Owner, status and statement of our part; classes are decided elsewhere."""

    verb_noun = "implementation"
    list_per_page = 100
    ordering = ("system__name", "control__sort_order")
    list_display = (
        "label",
        "title",
        "responsibility",
        "implementation_status",
        "applicability",
        "owner_team",
        "system",
    )
    list_filter = (
        ("system", RelatedScopeFilter),
        FamilyFilter,
        OwnerFilter,
        "responsibility",
        "implementation_status",
        "applicability",
    )
    list_select_related = ("control", "system", "owner_team")
    search_fields = ("control__label", "control__ref_id", "control__title")
    autocomplete_fields = ("owner_team",)
    actions = choosers(OF_CONTROLS)
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

    @admin.display(description="control", ordering="control__sort_order")
    def label(self, row: ControlImplementation) -> str:
        """Its id, as the catalog prints it."""
        return row.control.label

    @admin.display(description="title", ordering="control__title")
    def title(self, row: ControlImplementation) -> str:
        """Its title."""
        return row.control.title

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
