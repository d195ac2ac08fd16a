"""Systems and the components they use; every change re-derives the classes."""

from __future__ import annotations

import datetime as dt
from copy import copy
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from controls.access import require_officer
from controls.admin.people import OfSystemAdmin
from controls.admin.scoped import AuditedAdmin, ReadOnlyAdmin, RelatedScopeFilter
from controls.errors import Refused
from controls.models import System, SystemComponent
from controls.responsibility.decide import redecide, rulings_due
from evidence.models import BulkActRun
from evidence.requirements.from_templates import ask_for_all
from evidence.systems.describe import Use, add_component, end_component
from srm_project.requests import actor_of

ONE_DAY = dt.timedelta(days=1)


@admin.register(System)
class SystemAdmin(AuditedAdmin):
    """Boundaries. New ones are described on their own page."""

    list_display = ("name", "slug", "regime", "impact_level", "partition", "baseline")
    list_filter = ("regime", "impact_level", "partition", "demo")
    list_select_related = ("baseline",)
    search_fields = ("name", "slug", "description")
    date_hierarchy = "window_end"
    fields = (
        "name",
        "slug",
        "description",
        "regime",
        "impact_level",
        "partition",
        "baseline",
        "time_zone",
        "window_start",
        "window_end",
        "own_code",
        "currency_days",
        "letter_months",
        "demo",
        "seen_version",
    )
    # What answers of every day rest on has days of its own, and its own page.
    readonly_fields = (
        "slug",
        "regime",
        "impact_level",
        "partition",
        "baseline",
        "time_zone",
        "window_start",  # two officers decide on one that leaves out past days (R31)
        "window_end",
        "currency_days",
        "letter_months",
        "demo",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Described as a whole, with its components, on the page for it."""
        return False

    def require_right(self, request: HttpRequest, obj: Any) -> None:
        """Only officers of the system."""
        require_officer(obj, actor_of(request))

    def after_change(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """Own code moves responsibility: classes and requirements follow."""
        if "own_code" in form.changed_data:
            earlier = copy(obj)
            earlier.own_code = not obj.own_code
            redecide(
                obj,
                by=actor_of(request),
                reason="Own code changed",
                before=rulings_due(earlier),
            )
            ask_for_all(obj, by=actor_of(request), since=obj.window_start)


@admin.register(SystemComponent)
class SystemComponentAdmin(OfSystemAdmin):
    """What systems use. Adding and ending one re-derives every class."""

    list_display = ("system", "variant", "name", "regions", "used_from", "used_until")
    list_filter = (("system", RelatedScopeFilter), "variant__service__provider")
    list_select_related = ("system", "variant__service")
    search_fields = ("name", "variant__name", "variant__service__slug")
    date_hierarchy = "used_from"
    fields = (
        "system",
        "variant",
        "name",
        "regions",
        "provided_by",
        "used_from",
        "used_until",
        "seen_version",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Once in use, only its end can be set."""
        if obj is None:
            return ()
        return ("system", "variant", "name", "regions", "provided_by", "used_from")

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Through the verbs of `onboarding`, which lock, record and re-derive."""
        if not change:
            self.create(request, obj, form)
            return
        if "used_until" not in form.changed_data:
            return
        if obj.used_until is None:
            raise Refused("Say the first day on which it is no longer used.")
        end_component(
            obj,
            last_day=obj.used_until - ONE_DAY,
            by=actor_of(request),
            version=form.cleaned_data.get("seen_version"),
        )

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """Take the component into use."""
        use = Use(
            obj.variant,
            obj.used_from,
            obj.used_until,
            obj.regions,
            obj.name,
            obj.provided_by,
        )
        add_component(obj.system, use, by=actor_of(request))
        made = obj.system.components.get(
            variant=obj.variant, name=obj.name, used_from=obj.used_from
        )
        obj.pk, obj.uuid = made.pk, made.uuid
        obj._state.adding = False


@admin.register(BulkActRun)
class BulkActRunAdmin(ReadOnlyAdmin):
    """Acts on many rows that a worker carries out, of whoever confirmed them."""

    list_display = ("created_at", "system", "act", "state", "done_rows", "asked_by")
    list_filter = ("state", "act", "system")
    list_select_related = ("system", "asked_by")
    search_fields = ("act", "system__name")
    date_hierarchy = "created_at"
