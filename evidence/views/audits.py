"""The auditor's pages: where an audit stands, its controls, a mark for each.

Officers open the same pages and read only: they see what the auditors see.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls import clock
from controls.grammar import count_of
from controls.models import Actor, AuditEvent, ControlImplementation, Engagement, System
from evidence.engagements.auditors import Auditor, auditors_of
from evidence.engagements.control_table import (
    marks_of,
    matching_controls,
    progress_of,
    table_rows,
)
from evidence.engagements.marks import mark_control, mark_several
from evidence.engagements.news import last_visit, news_of, people_of, requests_of
from evidence.engagements.who_may import ONLY_AUDITORS, may_mark
from evidence.forms.audits import MarkForm, TableFilter, states_typed
from evidence.forms.clocks import PageClocks, clocks_of
from evidence.models import ControlMark, EvidenceRequest, Export
from evidence.models.marks import MarkState
from evidence.status.control_status import listed
from evidence.status.criteria import numbers_among
from evidence.status.window_counts import window_counts
from evidence.views.answers import answer_with, explain
from srm_project.requests import SignedInRequest

PER_PAGE = 100
EXPORTS_SHOWN = 5


@dataclass(frozen=True)
class Audit:
    """An engagement as somebody opened it."""

    engagement: Engagement
    clocks: PageClocks
    auditors: list[Auditor]
    may_mark: bool
    # whose visits tell what is new: the person, or for an officer the first auditor
    reader: Actor

    @property
    def system(self) -> System:
        """The system that is audited."""
        return self.engagement.system

    def context(self, request: SignedInRequest) -> dict[str, Any]:
        """What every page of an audit shows."""
        return {
            "audit": self,
            "engagement": self.engagement,
            "system": self.system,
            "clocks": self.clocks,
            "here": request.path,
        }


def audit_or_404(request: SignedInRequest, uuid: Any) -> Audit:
    """The engagement, if the person audits in it or is an officer of its system."""
    mine = Engagement.objects.open_to(request.user)
    engagement = get_object_or_404(mine.select_related("system__baseline"), uuid=uuid)
    window = (engagement.window_start, engagement.window_end)
    auditors = auditors_of([engagement], clock.now())[engagement.pk]
    marks = may_mark(engagement, by=request.user)
    first = next((one.user for one in auditors if one.let_in), request.user)
    return Audit(
        engagement,
        clocks_of(request, engagement.system, own=window),
        auditors,
        marks,
        request.user if marks else first,
    )


@require_GET
def audits(request: SignedInRequest) -> HttpResponse:
    """Which audits do I work on? The only one is opened at once."""
    mine = Engagement.objects.audited_by(request.user).select_related("system")
    rows = list(mine.order_by("window_end", "pk"))
    if len(rows) == 1:
        return redirect("evidence:audit", rows[0].uuid)
    return render(request, "evidence/engagements/audits.html", {"engagements": rows})


@require_GET
def audit(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Where does the audit stand, and what is new since I was here?"""
    opened = audit_or_404(request, uuid)
    engagement, clocks = opened.engagement, opened.clocks
    now = clock.now()
    rows = listed(opened.system, clocks.moment)
    try:
        counts = window_counts(opened.system, clocks.moment, clocks.window)
    except LookupError:  # the system was not recorded by then
        counts = None
    visit = last_visit(engagement, opened.reader, now=now)
    exports = Export.objects.filter(
        system=opened.system, requested_by=opened.reader.pk
    ).for_listing()
    context = opened.context(request) | {
        "controls": len(rows),
        "criteria": len(numbers_among(rows)),
        "counts": counts,
        "visit": visit,
        "visit_day": visit and opened.system.day_of(visit),
        "news": news_of(engagement, visit or _window_begins(opened)),
        "requests": requests_of(engagement, today=clocks.today),
        "progress": progress_of(marks_of(engagement), len(rows)),
        "officers": people_of(opened.system, now),
        "exports": exports[:EXPORTS_SHOWN],
        "days_to_go": (engagement.window_end - clocks.today).days,
    }
    return render(request, "evidence/engagements/audit.html", context)


def _window_begins(opened: Audit) -> Any:
    return opened.system.end_of_day(opened.engagement.window_start)


@require_GET
def audit_news(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What exactly is new since I was here?"""
    opened = audit_or_404(request, uuid)
    visit = last_visit(opened.engagement, opened.reader, now=clock.now())
    news = news_of(opened.engagement, visit or _window_begins(opened))
    context = opened.context(request) | {
        "visit": visit,
        "visit_day": visit and opened.system.day_of(visit),
        "news": news,
    }
    return render(request, "evidence/engagements/news.html", context)


@require_GET
def audit_controls(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Which controls held over the window, and what did I mark?"""
    opened = audit_or_404(request, uuid)
    clocks = opened.clocks
    rows = listed(opened.system, clocks.moment)
    marks = marks_of(opened.engagement)
    chosen = TableFilter(request.GET, rows=rows)
    filters = chosen.filters()
    matching = matching_controls(clocks, rows, filters, marks)
    page: Page[Any] = Paginator(matching, PER_PAGE).get_page(request.GET.get("page"))
    page.object_list = table_rows(
        opened.engagement, clocks, list(page.object_list), marks
    )
    context = opened.context(request) | {
        "filter": chosen,
        "kept_filters": filters,
        "page": page,
        "total": len(rows),
        "states": MarkState.choices,
    }
    return render(request, "evidence/engagements/controls.html", context)


def _back_to_table(request: SignedInRequest, engagement: Engagement) -> HttpResponse:
    query = request.GET.urlencode()
    page = reverse("evidence:audit_controls", args=[engagement.uuid])
    return redirect(f"{page}?{query}" if query else page)


@require_POST
def marks_save(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Save the states that were changed in the table."""
    engagement = engagement_or_404(request, uuid)
    named = [
        name.removeprefix("state-")
        for name in request.POST
        if name.startswith("state-")
    ]
    rows = ControlImplementation.objects.filter(
        system=engagement.system_id, control__ref_id__in=named
    ).select_related("control")
    back = _back_to_table(request, engagement)
    changed = states_typed(request.POST.dict(), list(rows))
    if not changed:
        _require_marker(engagement, request.user)
        messages.info(request, "No mark was changed, so nothing was saved.")
        return back
    try:
        saved = mark_several(engagement, changed, by=request.user, now=clock.now())
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    messages.success(
        request,
        f"{count_of(saved, 'mark', 'is')} saved. No count of the company changes.",
    )
    return back


def _require_marker(engagement: Engagement, by: Actor) -> None:
    if not may_mark(engagement, by=by):
        raise PermissionDenied(ONLY_AUDITORS)


def engagement_or_404(request: SignedInRequest, uuid: Any) -> Engagement:
    """The engagement, if its audit pages are open to the person."""
    mine = Engagement.objects.open_to(request.user).select_related("system")
    return get_object_or_404(mine, uuid=uuid)


@require_http_methods(["GET", "POST"])
def mark(request: SignedInRequest, uuid: Any, ref_id: str) -> HttpResponse:
    """What did I find of this control, how, and what was said before?"""
    opened = audit_or_404(request, uuid)
    controls = ControlImplementation.objects.filter(system=opened.system)
    control = get_object_or_404(
        controls.select_related("control", "system"), control__ref_id=ref_id
    )
    stored = ControlMark.objects.filter(
        engagement=opened.engagement, implementation=control
    ).first()
    form = MarkForm.about(stored)
    if request.method == "POST":
        form = MarkForm(request.POST)
        try:
            if form.is_valid():
                return _marked(request, opened, control, form)
            _require_marker(opened.engagement, request.user)
        except ValidationError as refusal:
            if getattr(refusal, "status_code", 400) != 400:
                return answer_with(request, refusal, redirect(request.get_full_path()))
            explain(form, refusal)
    return _mark_page(request, opened, control, stored, form)


def _marked(
    request: SignedInRequest,
    opened: Audit,
    control: ControlImplementation,
    form: MarkForm,
) -> HttpResponse:
    saved = mark_control(
        opened.engagement,
        control,
        form.draft(),
        by=request.user,
        now=clock.now(),
        version=form.cleaned_data["version"],
    )
    state = saved.get_state_display().lower()
    messages.success(request, f"{control.control.label} is marked: {state}.")
    return redirect(request.get_full_path())


def _mark_page(
    request: SignedInRequest,
    opened: Audit,
    control: ControlImplementation,
    stored: ControlMark | None,
    form: MarkForm,
) -> HttpResponse:
    history: list[Mapping[str, Any]] = []
    if stored:
        events = AuditEvent.objects.of_subject(stored).select_related("actor")
        history = [
            {"event": event, "said": _said(event)} for event in reversed(list(events))
        ]
    rows = [row for row in listed(opened.system, opened.clocks.moment)
            if row["ref_id"] == control.control.ref_id]  # fmt: skip
    answers = table_rows(
        opened.engagement, opened.clocks, rows, {control.pk: stored} if stored else {}
    )
    asked = EvidenceRequest.objects.filter(
        engagement=opened.engagement, controls=control
    ).order_by("due_on", "pk")
    context = opened.context(request) | {
        "control": control,
        "row": answers[0] if answers else None,
        "mark": stored,
        "form": form,
        "history": history,
        "asked": asked,
    }
    status = 422 if form.is_bound else 200
    return render(request, "evidence/engagements/mark.html", context, status=status)


def _said(event: AuditEvent) -> dict[str, str]:
    """What a version of a mark said, in words."""
    body = json.loads(event.body)
    methods = ", ".join(body.get("methods", []))
    return {
        "state": str(MarkState(body["state"]).label),
        "methods": methods.capitalize(),
        "reference": body.get("reference", ""),
        "note": body.get("note", ""),
    }
