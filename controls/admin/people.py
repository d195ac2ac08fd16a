"""People, teams and roles. Accounts are kept by superusers, roles by officers."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from controls import clock
from controls.access import require_officer
from controls.accounts.address_mails import mail_change
from controls.accounts.credentials import end_tokens
from controls.admin.scoped import (
    AuditedAdmin,
    FarReachingAdmin,
    ReadOnlyAdmin,
    RelatedScopeFilter,
    VersionedForm,
)
from controls.engagements import (
    DRAFTED,
    EngagementDraft,
    correct_engagement,
    make_engagement,
)
from controls.memberships import change_end, give_role_at_once
from controls.models import (
    AddressChange,
    AuditEvent,
    Engagement,
    EngagementScope,
    IdempotencyKey,
    Invitation,
    Membership,
    Team,
    TokenScope,
    User,
)
from controls.models.audit import about
from controls.reasons import MAX_REASON
from srm_project.recent_proof import require_recent_proof_of_form
from srm_project.requests import actor_of


class NewPersonForm(AdminUserCreationForm):
    """An account; without a password its owner signs in elsewhere."""

    class Meta:
        model = User
        fields = ("email", "name")
        field_classes: dict[str, Any] = {}


@admin.register(User)
class PersonAdmin(FarReachingAdmin, UserAdmin):
    """Accounts: deactivated, never deleted."""

    superuser_only = True
    form = VersionedForm
    add_form = NewPersonForm
    verb_noun = "user"
    list_display = ("email", "name", "is_active", "is_staff", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    date_hierarchy = "date_joined"
    filter_horizontal = ("groups",)
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("email", "name", "seen_version")}),
        ("Access", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (
            None,
            {"fields": ("email", "name", "usable_password", "password1", "password2")},
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """One's own address is changed on its page, where it has to be confirmed."""
        own = obj is not None and obj.pk == actor_of(request).pk
        return (*self.readonly_fields, "email") if own else self.readonly_fields

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """With a word on where one's own address is changed."""
        sets = super().get_fieldsets(request, obj)
        if obj is None or obj.pk != actor_of(request).pk:
            return sets
        page = format_html('<a href="{}">E-mail address</a>', reverse("account_email"))
        hint = format_html("Your own address is changed under Security, {}.", page)
        (name, options), *others = sets
        return ((name, {**options, "description": hint}), *others)

    def after_change(self, request: HttpRequest, obj: Any, form: Any) -> None:
        """The address that an administrator replaced is told, once that is certain."""
        before = form.initial.get("email")  # none where the account is new
        if before is None or "email" not in form.changed_data:
            return
        send = partial(mail_change, before, obj.email, by=actor_of(request))
        transaction.on_commit(send)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Superusers make accounts."""
        return bool(actor_of(request).is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Superusers change accounts: a flag here is the whole installation."""
        return bool(actor_of(request).is_superuser)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form; that of a new account holds a password, so no session keeps it."""
        if object_id is None:
            require_recent_proof_of_form(request)
        return super().changeform_view(request, object_id, form_url, extra_context)

    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Set a new password and record that it was set; the person's tokens end."""
        require_recent_proof_of_form(request)
        with transaction.atomic():
            response: HttpResponse = super().user_change_password(request, id, form_url)
            person = self.get_object(request, id)
            if request.method == "POST" and response.status_code == 302 and person:
                revoked = end_tokens(person, by=actor_of(request))
                AuditEvent.objects.append_all(
                    [*revoked, about(person, "user.password-set", by=actor_of(request))]
                )
        return response


@admin.register(AddressChange)
class AddressChangeAdmin(ReadOnlyAdmin):
    """Addresses that people asked for; confirmed by themselves only."""

    superuser_only = True
    list_display = ("user", "replaces", "address", "state", "requested_at", "ended_at")
    list_filter = ("state",)
    list_select_related = ("user",)
    search_fields = ("user__email", "user__name", "address", "replaces")
    date_hierarchy = "requested_at"


@admin.register(Team)
class TeamAdmin(AuditedAdmin):
    """Groups that own controls."""

    list_display = ("name", "slug")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


class OfSystemAdmin(AuditedAdmin):
    """Rows of one system that its officers keep."""

    def require_right(self, request: HttpRequest, obj: Any) -> None:
        """Only officers of the row's system."""
        require_officer(obj.system, actor_of(request))


class RoleForm(VersionedForm):
    """A role, and why its end is what it is."""

    reason = forms.CharField(
        required=False,
        max_length=MAX_REASON,
        help_text="Needed where the last officer of a system goes.",
    )


@admin.register(Membership)
class MembershipAdmin(FarReachingAdmin):
    """Who is what in which system, and until when. Ended, not deleted.

    Nobody gives a role to themselves or makes their own longer, and the last officer
    goes only with a reason.
    """

    form = RoleForm
    list_display = ("user", "system", "role", "team", "starts_at", "ends_at")
    list_filter = ("role", ("system", RelatedScopeFilter), "team")
    list_select_related = ("user", "system", "team", "engagement")
    search_fields = ("user__email", "user__name", "system__name")
    date_hierarchy = "starts_at"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A role given is a fact; afterwards only its end can be set."""
        if obj is None:
            return ()
        return ("user", "system", "role", "team", "engagement", "starts_at")

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Through the verbs, which lock, decide and record."""
        if not change:
            give_role_at_once(obj, by=actor_of(request), now=clock.now())
            return
        if "ends_at" not in form.changed_data:
            return
        change_end(
            obj,
            ends_at=obj.ends_at,
            by=actor_of(request),
            now=clock.now(),
            reason=form.cleaned_data["reason"],
            version=form.cleaned_data.get("seen_version"),
        )


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who was invited to which role; sent and withdrawn on the system's page."""

    list_display = ("address", "system", "role", "state", "invited_at", "mailed_at")
    list_filter = ("state", "role", ("system", RelatedScopeFilter))
    list_select_related = ("system", "team", "engagement", "invited_by")
    search_fields = ("address", "system__name")
    date_hierarchy = "invited_at"


@admin.register(Engagement)
class EngagementAdmin(OfSystemAdmin):
    """Audits: made and corrected by the rules of their own page."""

    list_display = ("title", "system", "kind", "firm", "window_start", "window_end")
    list_filter = ("kind", ("system", RelatedScopeFilter))
    list_select_related = ("system",)
    search_fields = ("title", "firm", "system__name")
    date_hierarchy = "window_start"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """An audit is of one system, for good."""
        return () if obj is None else ("system",)

    def save_model(
        self, request: HttpRequest, obj: Any, form: Any, change: bool
    ) -> None:
        """Through the verbs, which lock, decide and record."""
        draft = EngagementDraft(**{name: getattr(obj, name) for name in DRAFTED})
        by, today = actor_of(request), obj.system.day_of(clock.now())
        if not change:
            made = make_engagement(obj.system, draft, by=by, today=today)
            obj.pk, obj.uuid = made.pk, made.uuid
            obj._state.adding = False
            return
        version = form.cleaned_data.get("seen_version")
        correct_engagement(obj, draft, by=by, today=today, version=version)


@admin.register(EngagementScope)
class EngagementScopeAdmin(ReadOnlyAdmin):
    """Which controls an audit was about since when; chosen on the audit's own page."""

    scope_path = "engagement__system"
    list_display = ("engagement", "controls", "chosen_by", "known_from")
    list_filter = (("engagement__system", RelatedScopeFilter),)
    list_select_related = ("engagement__system", "chosen_by")
    search_fields = ("engagement__title", "engagement__system__name")
    date_hierarchy = "known_from"


@admin.register(TokenScope)
class TokenScopeAdmin(ReadOnlyAdmin):
    """API tokens by name and scope; their secrets are nowhere."""

    plumbing = True
    list_display = ("name", "scope", "token")
    list_filter = ("scope",)
    list_select_related = ("token__user",)
    search_fields = ("name", "token__user__email")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """Requests that were made under a key; what was answered is not shown."""

    superuser_only = True
    exclude = ("body", "headers")
    list_display = ("key", "route", "user", "status", "created_at")
    list_select_related = ("user",)
    search_fields = ("key", "route", "user__email")
