"""What the audit log says of one row: the page that the admin shows for it."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from controls.event_words import HistoryRow, event_rows
from controls.models import Actor, AuditEvent
from srm_project.requests import actor_of

MAX_SHOWN = 200  # newest events of one row


def history_page(
    model_admin: ModelAdmin, request: HttpRequest, object_id: str
) -> HttpResponse:
    """The page of a row's history; of a row without one, the whole log.

    Raises PermissionDenied for a row that the person may not see.
    """
    row = model_admin.get_object(request, object_id)
    if row is None or not model_admin.has_view_permission(request, row):
        raise PermissionDenied
    if not hasattr(row, "uuid"):
        return redirect("admin:controls_auditevent_changelist")
    page = model_admin.admin_site.each_context(request) | {
        "title": f"History of {row}",
        "history": change_history(row, actor_of(request)),
        "object": row,
        "opts": model_admin.opts,
        "module_name": model_admin.opts.verbose_name_plural,
    }
    return TemplateResponse(request, "admin/object_history.html", page)


def change_history(row: Any, reader: Actor) -> list[HistoryRow]:
    """The newest events about a row that the person may read, newest first."""
    events = AuditEvent.objects.all()
    if not reader.is_superuser:
        events = events.visible_to(reader)
    about_row = events.filter(subject_uuid=row.uuid).order_by("-at", "-seq")
    return event_rows(about_row[:MAX_SHOWN], row)
