"""Many files at once: a list, a preview, one confirmation."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.errors import NotPermitted, Refused
from controls.models import System
from evidence.answers import today_of
from evidence.bulk import Plan, confirm, plan, sealed
from evidence.mapping import COLUMNS, MappingRow, read, template
from evidence.submitting import Upload, submits_in
from evidence.uploads import WaitingFile
from evidence.views.refusals import refused
from evidence.views.systems import system_or_404
from evidence.views.uploads import unreadable

MAX_FILES = 200


@require_GET
def bulk_template(request: HttpRequest) -> HttpResponse:
    """A list to fill in."""
    answer = HttpResponse(template(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="evidence-list.csv"'
    return answer


def _mine(request: HttpRequest, slug: str) -> System:
    """The system, if the person brings evidence there."""
    system = system_or_404(request, slug)
    if not submits_in(system, by=request.user):
        raise PermissionDenied("Only contributors and officers bring evidence.")
    return system


@csrf_exempt  # checked by `_preview`: the handler must be set before the body is read
@require_http_methods(["GET", "POST"])
def bulk(request: HttpRequest, slug: str) -> HttpResponse:
    """Files and a list; shows what would be recorded, and what is wrong by row."""
    system = _mine(request, slug)
    unread = unreadable(request)
    if unread is not None:
        return unread
    response: HttpResponse = _preview(request, system)
    return response


@csrf_protect
def _preview(request: HttpRequest, system: System) -> HttpResponse:
    context: dict[str, Any] = {
        "system": system,
        "columns": COLUMNS,
        "limit_bytes": settings.MAX_UPLOAD_BYTES,
    }
    if request.method == "GET":
        return render(request, "evidence/bulk.html", context)
    try:
        found = _planned(request, system)
        if not found.errors:
            context["token"] = sealed(system, found, by=request.user)
    except ValidationError as refusal:
        context["refusal"] = " ".join(refusal.messages)
        status = getattr(refusal, "status_code", 400)
        return render(request, "evidence/bulk.html", context, status=status)
    context["plan"] = found
    status = 422 if found.errors else 200
    return render(request, "evidence/bulk.html", context, status=status)


def _planned(request: HttpRequest, system: System) -> Plan:
    listed = request.FILES.get("list")
    if not isinstance(listed, WaitingFile):
        raise Refused("Choose the list that says what each file proves.")
    uploads = _uploads([f for f in request.FILES.getlist("files") if f])
    rows = _rows(listed)
    return plan(system, rows, uploads, by=request.user, today=today_of(system))


def _rows(listed: WaitingFile) -> list[MappingRow]:
    with listed.incoming.reread() as body:
        return read(body, listed.name or "")


def _uploads(files: list[Any]) -> dict[str, Upload]:
    """Checked files by name. Raises Refused, naming the file."""
    if not files:
        raise Refused("Choose the files that the list speaks of.")
    if len(files) > MAX_FILES:
        raise Refused(f"At most {MAX_FILES} files at a time.")
    found: dict[str, Upload] = {}
    for file in files:
        upload = file.as_upload()
        if upload.stored.size_bytes == 0:
            raise Refused(f"“{upload.name}” is empty: nothing was stored.")
        if upload.name in found:
            raise Refused(f"Two files are called “{upload.name}”.")
        found[upload.name] = upload
    return found


@require_POST
def bulk_confirm(request: HttpRequest, slug: str) -> HttpResponse:
    """Record all of a preview."""
    system = _mine(request, slug)
    token = request.POST.get("token", "")
    try:
        links = confirm(system, token, by=request.user, today=today_of(system))
    except NotPermitted as refusal:
        return refused(request, refusal)
    except ValidationError as refusal:
        context = {"system": system, "columns": COLUMNS}
        context["refusal"] = " ".join(refusal.messages)
        status = getattr(refusal, "status_code", 400)
        return render(request, "evidence/bulk.html", context, status=status)
    messages.success(request, f"{len(links)} submitted for review.")
    return redirect("evidence:work")
