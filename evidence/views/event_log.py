"""The audit log of a system, for its officers: narrowed, page by page, or as a CSV."""

from __future__ import annotations

from django.db.models import Max
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from controls.event_log import events_of, oldest_first, verbs_of
from controls.event_words import event_rows
from controls.models import AuditEvent, System
from controls.models.audit import about
from evidence.exports.event_log import lines
from evidence.forms.event_log import EventLogForm
from evidence.views.access import require_officer_page, system_or_404
from srm_project.downloads import add_download_headers
from srm_project.recent_proof import recent_proof_required
from srm_project.requests import SignedInRequest

SHOWN = 50  # events on a page


def _officers_system(request: SignedInRequest, slug: str) -> System:
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    return system


@require_GET
def event_log(request: SignedInRequest, slug: str) -> HttpResponse:
    """Who did what to what here, and when?"""
    system = _officers_system(request, slug)
    form = EventLogForm(request.GET, verbs=verbs_of(system))
    shown: list[AuditEvent] = []
    if form.is_valid():
        events = events_of(system, form.chosen())
        if before := _number(request.GET.get("before")):
            events = events.filter(seq__lt=before)
        shown = list(events[: SHOWN + 1])
    page = {
        "system": system,
        "form": form,
        "events": event_rows(shown[:SHOWN]),
        "older_than": shown[SHOWN - 1].seq if len(shown) > SHOWN else None,
        "narrowed": [
            (name, value)
            for name, value in form.data.items()
            if name in form.fields and value
        ],
    }
    status = 200 if form.is_valid() else 422
    return render(request, "evidence/event_log/list.html", page, status=status)


@require_POST
@recent_proof_required
def event_log_csv(request: SignedInRequest, slug: str) -> HttpResponseBase:
    """The events that match, in their order, up to the newest one; itself recorded."""
    system = _officers_system(request, slug)
    form = EventLogForm(request.POST, verbs=verbs_of(system))
    if not form.is_valid():
        page = {"system": system, "form": form}
        return render(request, "evidence/event_log/list.html", page, status=422)
    events = events_of(system, form.chosen())
    whole = AuditEvent.objects.filter(chain=str(system.uuid))
    last = whole.aggregate(last=Max("seq"))["last"] or 0
    AuditEvent.objects.append(
        about(
            system,
            "audit-log.exported",
            by=request.user,
            up_to=last,
            narrowed_by=form.chosen().as_texts(),
        )
    )
    response = StreamingHttpResponse(
        lines(oldest_first(events, last=last)), content_type="text/csv; charset=utf-8"
    )
    name = f"{system.slug}-audit-log.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return add_download_headers(response)


def _number(text: str | None) -> int | None:
    """The number of an event; None for anything else."""
    return int(text) if text and text.isascii() and text.isdigit() else None
