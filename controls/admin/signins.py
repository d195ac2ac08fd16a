"""Ways to sign in, as far as an operator has business with them.

The libraries' own admins would show secrets of second factors and let them, sessions
and tokens be changed without a record; they are taken away here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.admin import AuthenticatorAdmin
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from knox.models import AuthToken

from controls.admin.scoped import ReadOnlyAdmin
from controls.models import AuditEvent, GroupRole, SpentAssertion
from controls.models.audit import about
from srm_project.recent_proof import require_recent_proof
from srm_project.requests import actor_of

# Loaded here, so that none of them registers itself afterwards.
for library in (
    *("django.contrib.auth", "allauth.account", "allauth.usersessions"),
    "allauth.socialaccount",
):
    import_module(f"{library}.admin")
import_module("knox.admin")
admin.site.unregister([Group, EmailAddress, UserSession, AuthToken, Authenticator])
admin.site.unregister([SocialApp, SocialToken, SocialAccount])


@admin.register(Authenticator)
class SecondFactorAdmin(ReadOnlyAdmin):
    """Second factors without their secrets; taken away where a person lost theirs."""

    superuser_only = True
    fields = ("user", "type", "created_at", "last_used_at")
    list_display = AuthenticatorAdmin.list_display
    list_filter = ("type",)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Authenticator]:
        """All, for those who may see any."""
        return super().get_queryset(request).defer("data")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers: without a second factor one is asked to set one up again."""
        return bool(actor_of(request).is_superuser)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The question whether; removed once the administrator proved who they are."""
        if request.method == "POST":
            require_recent_proof(request)
        return super().delete_view(request, object_id, extra_context)

    def delete_model(self, request: HttpRequest, obj: Authenticator) -> None:
        """Remove it and record whose it was; Django has opened a transaction."""
        kind = obj.get_type_display()
        obj.delete()
        AuditEvent.objects.append(
            about(obj.user, "second-factor.removed", by=actor_of(request), kind=kind)
        )


@admin.register(SocialAccount)
class IdentityAdmin(ReadOnlyAdmin):
    """Who people are at the identity provider: linked and unlinked by superusers."""

    superuser_only = True
    fields = ("user", "provider", "uid", "date_joined")
    list_display = ("user", "provider", "uid", "last_login")
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name", "uid")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers: the person signs in with it no more."""
        return bool(actor_of(request).is_superuser)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """The question whether; removed once the administrator proved who they are."""
        if request.method == "POST":
            require_recent_proof(request)
        return super().delete_view(request, object_id, extra_context)

    def delete_model(self, request: HttpRequest, obj: SocialAccount) -> None:
        """Remove it and record whose it was; Django has opened a transaction."""
        issuer, subject = obj.provider, obj.uid
        obj.delete()
        AuditEvent.objects.append(
            about(
                obj.user,
                "sign-on.unlinked",
                by=actor_of(request),
                issuer=issuer,
                known_as=subject,
            )
        )


@admin.register(GroupRole)
class GroupRoleAdmin(ReadOnlyAdmin):
    """Which roles the groups of the identity provider gave."""

    superuser_only = True
    list_display = ("membership", "group", "given_at")
    list_select_related = ("membership__user", "membership__system")
    search_fields = ("membership__user__email", "group")


@admin.register(SpentAssertion)
class SpentAssertionAdmin(ReadOnlyAdmin):
    """Assertions of SAML that were used; what they say of a person is not shown."""

    superuser_only = True
    fields = ("digest", "ends_at")
    list_display = ("digest", "ends_at")
    search_fields = ("digest",)
    date_hierarchy = "ends_at"

    def get_queryset(self, request: HttpRequest) -> QuerySet[SpentAssertion]:
        """All, for those who may see any."""
        return super().get_queryset(request).defer("claims", "ticket")
