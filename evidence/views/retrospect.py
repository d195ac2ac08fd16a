"""Changes in retrospect: what is asked of the past of a system, and who decides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from controls import clock, retrospect
from controls.access import may_decide, may_withdraw
from controls.approvals import last_day_to_decide
from controls.models import RetrospectiveChange
from controls.models.retrospect import RetrospectiveState
from evidence.files.retention import shortens
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import (
    TAKEN_BACK,
    answer_with,
    approves,
    return_to_work,
    withdraws,
)
from srm_project.recent_proof import require_recent_proof
from srm_project.requests import SignedInRequest

LISTED = 200  # changes a page shows, the newest


@require_GET
def changes(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which changes of the past were asked for here, and what became of them?"""
    system = system_or_404(request, slug)
    rows = system.retrospective_changes.for_listing().order_by("-pk")[:LISTED]
    shown = [(change, *_words(change)) for change in rows]
    page = {"system": system, "rows": shown}
    return render(request, "evidence/retrospect/list.html", page)


@require_GET
def change(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What would hold on which days, who asked and why, and who decided?"""
    row = _change(request, uuid)
    kind, facts = _words(row)
    waits = row.state == RetrospectiveState.REQUESTED
    page = {
        "change": row,
        "system": row.system,
        "kind": kind,
        "facts": facts,
        "waits": waits,
        "decide_by": last_day_to_decide(row.requested_on),
        "may_decide": waits and may_decide(row, row.system, request.user),
        "may_withdraw": waits and may_withdraw(row, row.system, request.user),
    }
    return render(request, "evidence/retrospect/detail.html", page)


@require_POST
def decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Approve or refuse what another officer asked for, or take back one's own."""
    row = _change(request, uuid)
    require_officer_page(request.user, row.system)
    today = row.system.day_of(clock.now())
    typed = request.POST.get("version", "")
    version = int(typed) if typed.isdecimal() and len(typed) < 10 else None
    back = return_to_work(request) or redirect("evidence:retrospective", row.uuid)
    try:
        act, done = _decision(request, row)
        act(row, by=request.user, today=today, version=version)
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    messages.success(request, done)
    return back


def _decision(
    request: SignedInRequest, row: RetrospectiveChange
) -> tuple[Callable[..., None], str]:
    """What is done with the change, and the sentence that says it was."""
    if withdraws(request):
        return retrospect.withdraw, TAKEN_BACK
    if not approves(request):
        return retrospect.refuse, "Refused: nothing changes."
    if shortens(row):
        require_recent_proof(request)
    return retrospect.approve, "Approved: it holds, and is known from now on."


def _words(row: RetrospectiveChange) -> tuple[str, list[tuple[str, str]]]:
    """The kind of a change by its name, and what it says."""
    kind = retrospect.kind_of(row)
    return kind.name, list(kind.explain(row))


def _change(request: SignedInRequest, uuid: Any) -> RetrospectiveChange:
    mine = RetrospectiveChange.objects.visible_to(request.user).for_listing()
    return get_object_or_404(mine, uuid=uuid)
