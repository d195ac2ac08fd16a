"""The requests of an engagement as a list: sent in by its auditors, taken out again.

Officers open the same page and read: they see what the auditors see.
"""

from __future__ import annotations

import io
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls import clock
from controls.grammar import count_of
from controls.idempotency import was_confirmed
from evidence.exports.request_list import (
    template_csv,
    write_request_list,
    write_template,
)
from evidence.forms.request_list import RequestListForm
from evidence.models import EvidenceRequest
from evidence.requests.list_plan import plan_list
from evidence.requests.list_rows import TITLES, read_upload
from evidence.requests.listing import confirm_list, sealed_list
from evidence.requests.who_may import require_lister
from evidence.views.answers import refused
from evidence.views.audits import Audit, audit_or_404
from evidence.views.once import SAME_AGAIN
from srm_project.requests import SignedInRequest

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@require_http_methods(["GET", "POST"])
def request_list(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What is asked in this audit? A list that is sent here is shown, not yet asked."""
    opened = audit_or_404(request, uuid)
    if request.method == "GET":
        return _page(request, opened)
    try:
        require_lister(opened.engagement, request.user)
    except ValidationError as refusal:
        return refused(request, refusal, back=request.path)
    form = _form(opened, request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, opened, form, status=422)
    file = form.cleaned_data["file"]
    token = ""
    try:
        plan = plan_list(
            opened.engagement,
            read_upload(file, file.name),
            form.defaults(),
            today=opened.clocks.today,
        )
        if plan.requests:
            token = sealed_list(opened.engagement, plan, by=request.user)
    except ValidationError as refusal:
        form.add_error("file", refusal.messages)
        return _page(request, opened, form, status=422)
    more = {"plan": plan, "file_name": file.name, "token": token}
    status = 200 if plan.requests else 422
    return _page(request, opened, form, status=status, **more)


def _form(opened: Audit, *sent: Any) -> RequestListForm:
    return RequestListForm(*sent, system=opened.system, today=opened.clocks.today)


def _page(
    request: SignedInRequest,
    opened: Audit,
    form: RequestListForm | None = None,
    *,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    mine = EvidenceRequest.objects.visible_to(request.user)
    rows = mine.filter(engagement=opened.engagement).for_table()
    context = opened.context(request) | {
        "form": form or _form(opened),
        "requests": rows,
        "columns": TITLES.values(),
    }
    return render(
        request,
        "evidence/engagements/request_list.html",
        context | more,
        status=status,
    )


@require_POST
def request_list_confirm(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Ask what the preview showed."""
    opened = audit_or_404(request, uuid)
    token = request.POST.get("token", "")
    before = was_confirmed(request.user, token)
    back = reverse("evidence:request_list", args=[opened.engagement.uuid])
    try:
        made = confirm_list(opened.engagement, token, by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal, back=back)
    done = (
        f"{count_of(len(made), 'request', 'is')} made. You are told when they are"
        " answered."
    )
    messages.success(request, SAME_AGAIN if before else done)
    return redirect(back)


@require_GET
def request_list_template(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """A list to fill in: a workbook, or with `?format=csv` a CSV file."""
    opened = audit_or_404(request, uuid)
    if request.GET.get("format") == "csv":
        answer = HttpResponse(template_csv(), content_type="text/csv; charset=utf-8")
        return _named(answer, "requests.csv")
    body = io.BytesIO()
    write_template(opened.engagement, body, now=clock.now())
    answer = HttpResponse(body.getvalue(), content_type=XLSX)
    return _named(answer, "requests.xlsx")


@require_GET
def request_list_download(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """All requests of the audit as known at the clocks, as a workbook."""
    opened = audit_or_404(request, uuid)
    body = io.BytesIO()
    write_request_list(
        opened.engagement,
        body,
        reader=request.user,
        moment=opened.clocks.moment,
        window=opened.clocks.window,
        now=clock.now(),
    )
    answer = HttpResponse(body.getvalue(), content_type=XLSX)
    return _named(answer, f"{opened.system.slug}-requests.xlsx")


def _named(answer: HttpResponse, name: str) -> HttpResponse:
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
