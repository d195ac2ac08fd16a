"""Spilled data: asked for by one officer, decided by another."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from controls.access import may_withdraw
from evidence.files.holders import holders_elsewhere, is_held
from evidence.files.spill_removal import (
    decide_removal,
    request_removal,
    withdraw_removal,
)
from evidence.files.who_may import may_decide_removal
from evidence.models import EvidenceLink, Population
from evidence.models.removals import RemovalState, SpillRemoval
from evidence.views.access import require_officer_page
from evidence.views.answers import (
    TAKEN_BACK,
    approves,
    refused,
    return_to_work,
    say_it_waits,
    typed_reason,
    withdraws,
)
from evidence.views.files import file_or_404
from evidence.views.once import once
from srm_project.requests import SignedInRequest

APPROVED = "Approved: the bytes are being removed. This page says when that is done."


@require_http_methods(["GET", "POST"])
@once
def removal_new(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Ask for a file's bytes to be destroyed."""
    file = file_or_404(request, uuid)
    require_officer_page(request.user, file.revision.evidence.system)
    if request.method == "GET":
        return render(request, "evidence/files/removal_new.html", {"file": file})
    try:
        reason = typed_reason(request)
        removal = request_removal(file, reason=reason, by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal)
    say_it_waits(
        request,
        removal.system,
        "Requested. Nothing is removed until another officer approves it.",
    )
    return redirect("evidence:removal", uuid=removal.uuid)


@require_http_methods(["GET"])
def removal(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What was asked, by whom, and what became of it."""
    removal_row = _removal(request, uuid)
    waits = removal_row.state == RemovalState.REQUESTED
    context = {
        "removal": removal_row,
        "links": EvidenceLink.objects.filter(
            system=removal_row.system, revision__files__blob=removal_row.blob
        ).for_listing(),
        "populations": Population.objects.filter(
            system=removal_row.system, blob=removal_row.blob
        )
        .with_state()
        .for_listing(),
        "held_elsewhere": bool(
            set(holders_elsewhere(removal_row.blob)) - {removal_row.system_id}
        ),
        "held": is_held(removal_row.blob),
        "may_decide": waits and may_decide_removal(removal_row, request.user),
        "may_withdraw": waits
        and may_withdraw(removal_row, removal_row.system, request.user),
    }
    return render(request, "evidence/files/removal.html", context)


@require_POST
def removal_decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Approve or refuse what another officer asked for, or take back one's own."""
    removal_row = _removal(request, uuid)
    try:
        done = TAKEN_BACK
        if withdraws(request):
            withdraw_removal(removal_row, by=request.user)
        else:
            approve = approves(request)
            decide_removal(removal_row, approve=approve, by=request.user)
            done = APPROVED if approve else "Refused: the file stays where it is."
    except ValidationError as refusal:
        return refused(request, refusal)
    messages.success(request, done)
    return return_to_work(request) or redirect(
        "evidence:removal", uuid=removal_row.uuid
    )


def _removal(request: SignedInRequest, uuid: Any) -> SpillRemoval:
    mine = SpillRemoval.objects.visible_to(request.user).for_listing()
    return get_object_or_404(mine, uuid=uuid)
