"""Who was told what and which mail left; for administrators to look at."""

from __future__ import annotations

from django.contrib import admin

from controls.admin.scoped import ReadOnlyAdmin
from evidence.models import InvitationMail, Notice, NoticeMail, NoticePreference


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    """What people were told."""

    superuser_only = True
    list_display = ("sentence", "user", "kind", "created_at", "read_at", "ended_at")
    list_filter = ("kind", "system")
    list_select_related = ("user", "system")
    search_fields = ("user__email", "key")
    date_hierarchy = "created_at"


@admin.register(NoticeMail)
class NoticeMailAdmin(ReadOnlyAdmin):
    """Mails and whether the server took them."""

    superuser_only = True
    list_display = ("created_at", "user", "rows", "state", "attempts", "error")
    list_filter = ("state",)
    list_select_related = ("user",)
    search_fields = ("user__email", "error")
    date_hierarchy = "created_at"


@admin.register(InvitationMail)
class InvitationMailAdmin(ReadOnlyAdmin):
    """Mails of invitations and whether the server took them."""

    superuser_only = True
    list_display = ("created_at", "invitation", "number", "state", "attempts", "error")
    list_filter = ("state",)
    list_select_related = ("invitation__system",)
    search_fields = ("invitation__address", "error")
    date_hierarchy = "created_at"


@admin.register(NoticePreference)
class NoticePreferenceAdmin(ReadOnlyAdmin):
    """How often people get mail."""

    superuser_only = True
    list_display = ("user", "frequency")
    list_filter = ("frequency",)
    list_select_related = ("user",)
    search_fields = ("user__email",)
