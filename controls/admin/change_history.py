"""What the audit log says of one row, in words: who did what, from what to what."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from controls.models import Actor, AuditEvent
from srm_project.requests import actor_of

MAX_SHOWN = 200  # newest events of one row
MAX_TEXT = 300  # characters of one value
# Names in the body of an event that are no facts about the row.
UNSAID = frozenset({"_", "before", "after", "in_bulk", "model", "row", "version"})


@dataclass(frozen=True)
class HistoryRow:
    """One event: `facts` are what it says, each with its name."""

    at: dt.datetime
    who: str
    what: str
    facts: list[tuple[str, str]]


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
    return [
        HistoryRow(
            event.at,
            event.actor_name or "the program",
            _words(event.verb.partition(".")[2] or event.verb),
            _facts(row, _body(event)),
        )
        for event in about_row[:MAX_SHOWN]
    ]


def _body(event: AuditEvent) -> Mapping[str, Any]:
    """The body, empty where it is withheld or no object."""
    try:
        body = json.loads(event.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _facts(row: Any, body: Mapping[str, Any]) -> list[tuple[str, str]]:
    before, after = body.get("before"), body.get("after")
    before = before if isinstance(before, dict) else {}
    after = after if isinstance(after, dict) else {}
    facts = [
        (_name(row, name), _change(before.get(name), after.get(name)))
        for name in dict.fromkeys([*before, *after])
    ]
    more = [(name, value) for name, value in body.items() if name not in UNSAID]
    return facts + [(_words(name), _text(value)) for name, value in more if value]


def _name(row: Any, field: str) -> str:
    try:
        return _words(str(row._meta.get_field(field).verbose_name))
    except FieldDoesNotExist:
        return _words(field)


def _change(before: Any, after: Any) -> str:
    if after is None:
        return f"was {_text(before)}"
    if before is None:
        return _text(after)
    return f"{_text(before)} → {_text(after)}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        value = [
            f"{_words(name).lower()} {_text(part)}" for name, part in value.items()
        ]
    if isinstance(value, Iterable) and not isinstance(value, str):
        value = ", ".join(_text(part) for part in value)
    return str(value if value not in ("", None) else "nothing")[:MAX_TEXT]


def _words(code: str) -> str:
    """`owner_team` and `handed-over` as words, the first with a capital."""
    return code.replace("_", " ").replace("-", " ").replace(".", " ").capitalize()
