"""What every admin of ours shares: scope, no bulk deletion, nothing unaudited.

Django's drop-downs and list filters do not go through `get_queryset`; both are
narrowed here to what the person may read.

One file: one base class, and what its lists and forms refuse before a row is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.forms import HiddenInput, IntegerField, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst

from controls.admin.change_history import history_page
from controls.errors import StaleVersion
from controls.models import Actor, AuditEvent, Membership, Role
from controls.models.audit import about
from srm_project.recent_proof import require_recent_proof
from srm_project.requests import actor_of

A_KEY = re.compile(r"[0-9]{1,18}", re.ASCII)
STALE = "This changed since you opened it. Look again."


def visible(queryset: QuerySet[Any], user: Actor) -> QuerySet[Any]:
    """The rows a person may read, where the model has an opinion on that."""
    narrow: Callable[[Any], QuerySet[Any]] | None = getattr(
        queryset, "visible_to", None
    )
    return narrow(user) if narrow else queryset


def roles_of(request: HttpRequest) -> frozenset[str]:
    """Roles the person holds in any system now; asked once per request.

    The admin follows these roles, not Django's own permissions, so that who may do
    what is said in one place.
    """
    known: frozenset[str] | None = getattr(request, "_roles_held", None)
    if known is None:
        held = Membership.objects.active().filter(user=actor_of(request).pk)
        roles = held.values_list("role", flat=True)
        known = frozenset(roles) if actor_of(request).is_staff else frozenset()
        request._roles_held = known  # type: ignore[attr-defined]
    return known


class AutocompleteOfKeys(AutocompleteSelect):
    """A search field that shows nothing for a text that is no key, as a form that is
    shown again may hold one; Django's own asks the database for it."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        """The chosen option, if it has the key of a row."""
        keys = [text for text in value if A_KEY.fullmatch(str(text))]
        return super().optgroups(name, keys, attr)


class ScopedAdmin(admin.ModelAdmin):
    """Shows visible rows only; never deletes; offers visible rows in drop-downs."""

    list_per_page = 50
    show_full_result_count = False
    # Where visibility is that of a related row: the path to it, such as "system".
    scope_path = ""
    superuser_only = False
    # Rows behind what officers work with: not in the index, but of superusers.
    plumbing = False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Shown in the index to whom it may be shown at all, plumbing to superusers."""
        if self.plumbing and not actor_of(request).is_superuser:
            return False
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff with a role in some system; some tables are for superusers only."""
        if self.superuser_only and not actor_of(request).is_superuser:
            return False
        return actor_of(request).is_superuser or bool(roles_of(request))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list under the name of what it lists."""
        name = {"title": capfirst(str(self.opts.verbose_name_plural))}
        return super().changelist_view(request, name | (extra_context or {}))

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list; a year that no calendar has is a filter that cannot be."""
        try:
            return super().get_changelist_instance(request)
        except OverflowError as failure:
            raise IncorrectLookupParameters(str(failure)) from failure

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """What our audit log says about the row, instead of Django's own log."""
        return history_page(self, request, object_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of what the person may read."""
        rows = super().get_queryset(request)
        if actor_of(request).is_superuser:
            return rows
        if self.scope_path:
            related = self.model
            for name in self.scope_path.split("__"):
                related = related._meta.get_field(name).related_model
            seen = visible(related._default_manager.all(), actor_of(request))
            return rows.filter(**{f"{self.scope_path}__in": seen})
        return visible(rows, actor_of(request))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """No deletion in bulk: rows are ended, not removed."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nothing is deleted here."""
        return False

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Choices are what the person may read."""
        kwargs.setdefault(
            "queryset",
            visible(db_field.related_model._default_manager.all(), actor_of(request)),
        )
        if db_field.name in self.get_autocomplete_fields(request):
            widget = AutocompleteOfKeys(db_field, self.admin_site)
            kwargs.setdefault("widget", widget)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> Any:
        """Choices are what the person may read."""
        kwargs.setdefault(
            "queryset",
            visible(db_field.related_model._default_manager.all(), actor_of(request)),
        )
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Our own log has it; Django's second, editable one is not kept."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Our own log has it."""


class RelatedScopeFilter(admin.RelatedFieldListFilter):
    """A filter in the side bar that offers visible rows only."""

    def field_choices(
        self, field: Any, request: HttpRequest, model_admin: admin.ModelAdmin
    ) -> list[Any]:
        """Each visible related row with its name."""
        choices = visible(field.related_model._default_manager.all(), actor_of(request))
        return [(row.pk, str(row)) for row in choices]


class ReadOnlyAdmin(ScopedAdmin):
    """A record that is looked at and never edited."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Made by its own verbs only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never changed here."""
        return False


class VersionedForm(ModelForm):
    """Knows which version of the row the person saw."""

    seen_version = IntegerField(required=False, widget=HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "seen_version" in self.fields:
            self.initial["seen_version"] = _version(self.instance)

    def clean_seen_version(self) -> int | None:
        """The version seen. Raises StaleVersion when the row has moved on."""
        seen: int | None = self.cleaned_data["seen_version"]
        if self.instance.pk and seen not in (None, _version(self.instance)):
            raise StaleVersion(STALE)
        return seen


class AuditedAdmin(ScopedAdmin):
    """Edits that write their audit event in the same transaction, last.

    A changed row's version goes up by one; a form opened before somebody else's
    change is refused. Refusals of the domain come back as a message.
    """

    form = VersionedForm
    verb_noun = ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Officers; whether of this very system is asked when it is saved."""
        return actor_of(request).is_superuser or Role.OFFICER in roles_of(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Officers; whether of this very system is asked when it is saved."""
        return actor_of(request).is_superuser or Role.OFFICER in roles_of(request)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form; what the domain refuses is said on it, and nothing is changed."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except ValidationError as refusal:
            self.message_user(request, " ".join(refusal.messages), messages.ERROR)
            return redirect(request.get_full_path())

    def save_model(
        self, request: HttpRequest, obj: Any, form: ModelForm, change: bool
    ) -> None:
        """Save what was changed; Django has opened a transaction around this."""
        if not change:
            self.create(request, obj, form)
            return
        stored = type(obj)._base_manager.select_for_update(of=("self",)).get(pk=obj.pk)
        changed = [name for name in form.changed_data if name in _names(obj)]
        if not changed:
            return
        self.require_right(request, stored)
        if form.cleaned_data.get("seen_version") not in (None, _version(stored)):
            raise StaleVersion(STALE)
        obj.validate_constraints()
        before = {name: _plain(stored, name) for name in changed}
        names = [name for name in changed if _is_column(obj, name)]
        if _version(stored) is not None:
            obj.version = models.F("version") + 1
            names.append("version")
        obj.save(update_fields=names)
        obj.refresh_from_db()
        self.after_change(request, obj, form)
        self.record(request, obj, "changed", before=before)

    def create(self, request: HttpRequest, obj: Any, form: ModelForm) -> None:
        """Insert the row and record it; admins with a domain verb call that instead."""
        self.require_right(request, obj)
        obj.save(force_insert=True)
        self.after_change(request, obj, form)
        self.record(request, obj, "created")

    def require_right(self, request: HttpRequest, obj: Any) -> None:
        """Raise NotPermitted where a role in the system is needed as well."""

    def after_change(self, request: HttpRequest, obj: Any, form: ModelForm) -> None:
        """What follows from a change, before the event is written."""

    def record(self, request: HttpRequest, obj: Any, did: str, **body: Any) -> None:
        """Write the event on the row's chain."""
        noun = self.verb_noun or obj._meta.model_name
        AuditEvent.objects.append(
            about(obj, f"{noun}.{did}", by=actor_of(request), **body)
        )


class FarReachingAdmin(AuditedAdmin):
    """Saving asks for the password or second factor again (AZ-12)."""

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form; saved once the person has proved who they are."""
        if request.method == "POST":
            require_recent_proof(request)
        return super().changeform_view(request, object_id, form_url, extra_context)


def _version(obj: Any) -> int | None:
    return getattr(obj, "version", None)


def _names(obj: Any) -> set[str]:
    return {field.name for field in obj._meta.get_fields()}


def _is_column(obj: Any, name: str) -> bool:
    field = obj._meta.get_field(name)
    return bool(field.concrete and not field.many_to_many)


def _plain(obj: Any, name: str) -> str:
    """A value as text for the log; passwords never."""
    if name == "password":
        return "withheld"
    value: Any = getattr(obj, name, "")
    if obj._meta.get_field(name).many_to_many:
        value = ", ".join(sorted(str(related) for related in value.all()))
    return str(value)[:300]
