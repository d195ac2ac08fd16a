"""Roles of the installation: given and ended by its officers and by superusers."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from controls.access import is_installation_officer
from controls.admin.scoped import FarReachingAdmin
from controls.errors import Refused
from controls.installation_roles import end_role, give_role
from controls.models import InstallationRole, User
from srm_project.requests import actor_of


@admin.register(InstallationRole)
class InstallationRoleAdmin(FarReachingAdmin):
    """Who describes new systems, and who keeps the register of reports.

    Ended, not deleted; nobody gives a role to themselves.
    """

    list_display = ("user", "role", "starts_at", "ends_at", "given_by")
    list_filter = ("role",)
    list_select_related = ("user", "given_by")
    search_fields = ("user__email", "user__name")
    date_hierarchy = "starts_at"
    fields = ("user", "role", "starts_at", "ends_at", "seen_version")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Officers of the installation and superusers; the table is for nobody else."""
        return is_installation_officer(actor_of(request))

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Officers of the installation and superusers."""
        return is_installation_officer(actor_of(request))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Officers of the installation and superusers."""
        return is_installation_officer(actor_of(request))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A role given is a fact; afterwards only its end can be set."""
        return () if obj is None else ("user", "role", "starts_at")

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Offer open accounts of others."""
        others = User.objects.filter(is_active=True).exclude(pk=actor_of(request).pk)
        kwargs["queryset"] = others.order_by("email")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Through the verbs, which lock, decide and record."""
        if not change:
            self.create(request, obj, form)
            return
        if "ends_at" not in form.changed_data:
            return
        if obj.ends_at is None:
            raise Refused("Say when the role ends.")
        end_role(
            obj,
            at=obj.ends_at,
            by=actor_of(request),
            version=form.cleaned_data.get("seen_version"),
        )

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """Give the role."""
        installation_role = give_role(
            obj.user,
            obj.role,
            by=actor_of(request),
            starts_at=obj.starts_at,
            ends_at=obj.ends_at,
        )
        obj.pk, obj.uuid = installation_role.pk, installation_role.uuid
        obj._state.adding = False
