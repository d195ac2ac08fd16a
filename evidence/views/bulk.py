"""Many files at once: a list, a preview, one confirmation."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.errors import NotPermitted
from controls.idempotency import was_confirmed
from controls.models import System
from evidence.status.control_status import today_of
from evidence.submissions.bulk import confirm, sealed
from evidence.submissions.bulk_list import COLUMNS, template, template_workbook
from evidence.submissions.bulk_request import MAX_FILES, plan_of
from evidence.submissions.who_may import submits_in
from evidence.views.access import system_or_404
from evidence.views.answers import refused, told_to_come_back
from evidence.views.once import SAME_AGAIN
from evidence.views.uploads import unreadable
from srm_project.file_places import take_upload_place
from srm_project.requests import SignedInRequest

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_GET
def bulk_template(request: SignedInRequest) -> HttpResponse:
    """A list to fill in: CSV, or with `?format=xlsx` a workbook."""
    if request.GET.get("format") == "xlsx":
        body: str | bytes = template_workbook()
        kind, name = XLSX, "evidence-list.xlsx"
    else:
        body, kind, name = template(), "text/csv; charset=utf-8", "evidence-list.csv"
    answer = HttpResponse(body, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _mine(request: SignedInRequest, slug: str) -> System:
    """The system, if the person brings evidence there."""
    system = system_or_404(request, slug)
    if not submits_in(system, by=request.user):
        raise PermissionDenied("Only contributors and officers bring evidence.")
    return system


@csrf_exempt  # checked by `_preview`: the handler must be set before the body is read
@require_http_methods(["GET", "POST"])
def bulk(request: SignedInRequest, slug: str) -> HttpResponse:
    """Files and a list; shows what would be recorded, and what is wrong by row."""
    system = _mine(request, slug)
    unread = unreadable(request)
    if unread is not None:
        return unread
    response: HttpResponse = _preview(request, system)
    return response


def _context(system: System) -> dict[str, Any]:
    return {
        "system": system,
        "columns": COLUMNS,
        "limit_bytes": settings.MAX_UPLOAD_BYTES,
        "max_files": MAX_FILES,
    }


@csrf_protect
def _preview(request: SignedInRequest, system: System) -> HttpResponse:
    context = _context(system)
    if request.method == "GET":
        return render(request, "evidence/bulk/page.html", context)
    try:
        listed, files = request.FILES.get("list"), request.FILES.getlist("files")
        plan = plan_of(system, listed, files, by=request.user)
        if not plan.errors:
            context["token"] = sealed(system, plan, by=request.user)
    except ValidationError as refusal:
        context["refusal"] = " ".join(refusal.messages)
        status = getattr(refusal, "status_code", 400)
        page = render(request, "evidence/bulk/page.html", context, status=status)
        return told_to_come_back(page, refusal)
    context["plan"] = plan
    # a list in which only files are missing is right, and need not be sent again
    context["list_is_right"] = all(error.column == "file" for error in plan.errors)
    status = 422 if plan.errors else 200
    return render(request, "evidence/bulk/page.html", context, status=status)


@require_POST
def bulk_confirm(request: SignedInRequest, slug: str) -> HttpResponse:
    """Record all of a preview."""
    system = _mine(request, slug)
    token = request.POST.get("token", "")
    before = was_confirmed(request.user, token)
    again = "again" in request.POST
    today = today_of(system)
    try:
        take_upload_place(request)  # the store is asked whether all is still there
        links = confirm(system, token, by=request.user, today=today, again=again)
    except NotPermitted as refusal:
        return refused(request, refusal)
    except ValidationError as refusal:
        context = _context(system)
        context["refusal"] = " ".join(refusal.messages)
        status = getattr(refusal, "status_code", 400)
        page = render(request, "evidence/bulk/page.html", context, status=status)
        return told_to_come_back(page, refusal)
    done = SAME_AGAIN if before else f"{len(links)} submitted for review."
    messages.success(request, done)
    return redirect("evidence:work")
