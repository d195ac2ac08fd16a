"""A report fetched from AWS Artifact by a person: its term first, then the file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.errors import NotPermitted, TransitionNotAllowed
from evidence.files.previews import RenderedPage, render_preview
from evidence.forms.report_files import AcceptTermForm
from evidence.held_reports.fetch import (
    PDF,
    accept_term,
    ask_for_fetch,
    report_of,
    term_of,
)
from evidence.held_reports.who_may import require_keeper
from evidence.models import FetchState, ListedReport, ReportFetch
from evidence.storage import refuse_broken_off
from evidence.views.answers import answer_with, explain, explanation_page, refused
from evidence.views.files import page_number
from srm_project.downloads import add_download_headers
from srm_project.file_places import take_download_place
from srm_project.requests import SignedInRequest


@require_POST
def report_fetch_new(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Ask for AWS's term of a listed report that stands in the register."""
    mine = ListedReport.objects.visible_to(request.user).filter(
        artifact_version__isnull=False
    )
    listed: ListedReport = get_object_or_404(mine, uuid=uuid)
    try:
        fetch = ask_for_fetch(listed, by=request.user)
    except ValidationError as refusal:
        back = redirect("evidence:report_document", uuid=report_of(listed).uuid)
        return answer_with(request, refusal, back)
    messages.success(
        request, "AWS's term is being fetched. Reload this page in a minute."
    )
    return redirect("evidence:report_fetch", uuid=fetch.uuid)


def _fetch_or_404(request: SignedInRequest, uuid: Any) -> ReportFetch:
    mine = ReportFetch.objects.visible_to(request.user).select_related(
        "listed__artifact_version__artifact", "asked_by", "accepted_by", "file"
    )
    row: ReportFetch = get_object_or_404(mine.select_related("term_blob"), uuid=uuid)
    return row


@require_http_methods(["GET", "POST"])
def report_fetch(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """AWS's term to read; POST accepts it, and the report is fetched and held."""
    fetch = _fetch_or_404(request, uuid)
    try:
        require_keeper(report_of(fetch.listed), request.user)
    except NotPermitted as refusal:
        return refused(request, refusal)
    form = AcceptTermForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                accept_term(fetch, **form.cleaned_data, by=request.user)
            except TransitionNotAllowed as refusal:
                return refused(request, refusal)
            except ValidationError as refusal:
                explain(form, refusal)
            else:
                messages.success(
                    request, "You accepted AWS's term. The report is being fetched now."
                )
                return redirect("evidence:report_fetch", uuid=fetch.uuid)
    context: dict[str, Any] = {"fetch": fetch, "form": form}
    if fetch.state == FetchState.TERM:
        try:
            context["drawn"] = _drawn(request, fetch, page_number(request))
            context["number"] = min(page_number(request), context["drawn"].pages)
        except FileNotFoundError:
            return explanation_page(request, "The bytes are not in the store.", 410)
        except ValidationError as refusal:
            return refused(request, refusal)
    return render(request, "evidence/report_files/fetch.html", context, status=status)


def _drawn(request: SignedInRequest, fetch: ReportFetch, number: int) -> RenderedPage:
    take_download_place(request)
    with refuse_broken_off(), term_of(fetch, by=request.user) as body:
        return render_preview(body, PDF, number)


@require_GET
def report_fetch_term(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """One page of AWS's term as PNG, drawn anew."""
    fetch = _fetch_or_404(request, uuid)
    try:
        drawn = _drawn(request, fetch, page_number(request))
    except FileNotFoundError:
        return explanation_page(request, "The bytes are not in the store.", 410)
    except ValidationError as refusal:
        return refused(request, refusal)
    return add_download_headers(HttpResponse(drawn.png, content_type="image/png"))
