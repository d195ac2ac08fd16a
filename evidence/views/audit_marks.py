"""What an auditor marks: several controls in the table, one with its note.

Officers open the page of one control too, and read only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from controls import clock
from controls.grammar import count_of
from controls.models import Actor, AuditEvent, ControlImplementation, Engagement
from evidence.engagements.control_table import table_rows
from evidence.engagements.marks import mark_control, mark_several
from evidence.engagements.who_may import ONLY_AUDITORS, may_mark
from evidence.findings.who_may import may_record
from evidence.forms.audits import MarkForm, states_typed
from evidence.models import ControlMark, EvidenceRequest
from evidence.models.marks import MarkState
from evidence.status.control_status import listed
from evidence.views.answers import answer_with, explain
from evidence.views.audit_responses import with_responses
from evidence.views.audits import Audit, audit_or_404, engagement_or_404
from srm_project.requests import SignedInRequest


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
        if name.startswith("state-") and "\0" not in name
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
            {"event": event, "version": _version_of(event)}
            for event in reversed(list(events))
        ]
    rows = [row for row in listed(opened.system, opened.clocks.moment)
            if row["ref_id"] == control.control.ref_id in opened.scope]  # fmt: skip
    answers = table_rows(
        opened.engagement, opened.clocks, rows, {control.pk: stored} if stored else {}
    )
    answers = with_responses(answers, opened.clocks)
    requests = EvidenceRequest.objects.filter(
        engagement=opened.engagement, controls=control
    ).order_by("due_on", "pk")
    context = opened.context(request) | {
        "control": control,
        "in_scope": control.control.ref_id in opened.scope,
        "row": answers[0] if answers else None,
        "mark": stored,
        "form": form,
        "history": history,
        "may_record": opened.clocks.now
        and control.control.ref_id in opened.scope
        and may_record(opened.system, request.user),
        "asked": requests,
    }
    status = 422 if form.is_bound else 200
    return render(request, "evidence/engagements/mark.html", context, status=status)


def _version_of(event: AuditEvent) -> dict[str, str]:
    """What a version of a mark said, in words."""
    body = json.loads(event.body)
    methods = ", ".join(body.get("methods", []))
    return {
        "state": str(MarkState(body["state"]).label),
        "methods": methods.capitalize(),
        "reference": body.get("reference", ""),
        "note": body.get("note", ""),
    }
