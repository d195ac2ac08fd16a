"""Exports: ask for one, see how far it is, take the file."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from evidence.engagements.scope import scopes_read
from evidence.exports import jobs
from evidence.exports.ends import delete_export, stopped_for
from evidence.exports.rows.heading import view_text
from evidence.exports.rows.scope import FILTERS
from evidence.forms.exports import MAX_FILTER, OF_A_VIEW, ExportForm
from evidence.models import Export, ExportState
from evidence.signing.keys import fingerprint_shown
from evidence.views.answers import refused
from evidence.views.once import once_each
from srm_project.downloads import attachment
from srm_project.recent_proof import recent_proof_required
from srm_project.requests import SignedInRequest

SHOWN = 50


@require_GET
def exports(request: SignedInRequest) -> HttpResponse:
    """My exports, newest first; the part with the progress is fetched again by htmx.

    A page of controls leads here with its filters and clocks: "export this view".
    """
    named = ("system", "on", *OF_A_VIEW)
    texts = {name: request.GET.get(name, "")[:MAX_FILTER] for name in named}
    initial = {name: text for name, text in texts.items() if text}
    form = ExportForm(user=request.user, initial=initial)
    return _page(request, form)


@require_POST
@recent_proof_required
@once_each
def export_request(request: SignedInRequest) -> HttpResponse:
    """Queue an export of a system."""
    form = ExportForm(request.POST, user=request.user)
    if not form.is_valid():
        return _page(request, form, status=400)
    try:
        jobs.request_export(
            form.cleaned_data["system"],
            by=request.user,
            on=form.asked_day,
            known_at=form.known_at,
            format_name=form.format_name,
            window=form.window,
            filters=form.filters,
        )
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, "The export is queued; it appears below when done.")
    return redirect("evidence:exports")


@require_GET
def export_download(request: SignedInRequest, uuid: Any) -> HttpResponseBase:
    """The finished file."""
    try:
        return attachment(jobs.opened_for(_export(request, uuid), by=request.user))
    except ValidationError as refusal:
        return refused(request, refusal)


@require_POST
def export_cancel(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Stop an export that is not finished."""
    try:
        jobs.cancel(_export(request, uuid), by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, "The export is stopped: no file is made.")
    return redirect("evidence:exports")


@require_POST
def export_delete(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Delete the file of an export of one's own."""
    try:
        delete_export(_export(request, uuid), by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, "The file of the export was deleted.")
    return redirect("evidence:exports")


def _export(request: SignedInRequest, uuid: Any) -> Export:
    return get_object_or_404(
        Export.objects.visible_to(request.user).for_listing(), uuid=uuid
    )


def _page(
    request: SignedInRequest, form: ExportForm, status: int = 200
) -> HttpResponse:
    exports_shown = list(Export.objects.visible_to(request.user).for_listing()[:SHOWN])
    filters = {name: form[name].value() or "" for name in FILTERS}
    named = [export.filters.get("engagement", "") for export in exports_shown]
    scopes = scopes_read([*named, filters["engagement"]], by=request.user)
    for export in exports_shown:
        view = export.filters
        export.view_shown = view_text(view, scopes) if view else ""
    unfinished = {ExportState.QUEUED, ExportState.RUNNING}
    context = {
        "exports": exports_shown,
        "running": any(export.state in unfinished for export in exports_shown),
        "form": form,
        "view": view_text(filters, scopes) if any(filters.values()) else "",
        "known_at": form["known_at"].value() or "",
        "stopped": stopped_for(request.user),
        "fingerprint": fingerprint_shown(),
    }
    page = "evidence/exports/list.html"
    if request.headers.get("HX-Request") and request.method == "GET":
        page = "evidence/exports/partials/exports.html"
    return render(request, page, context, status=status)
