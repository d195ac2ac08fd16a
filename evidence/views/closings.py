"""Closing an engagement's window: an officer asks, one of its auditors decides."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from controls import clock
from evidence.engagements.after_closing import after_closing
from evidence.engagements.who_may import may_ask_to_close
from evidence.exports.closing import (
    closing_of,
    confirm_closing,
    make_again,
    refuse_closing,
    request_closing,
    withdraw_closing,
)
from evidence.forms.closings import (
    AgainForm,
    ClosingForm,
    DecideClosingForm,
    WithdrawClosingForm,
)
from evidence.models import ClosingState, Export, WindowClosing
from evidence.views.answers import answer_with, explain
from evidence.views.audits import audit_or_404, engagement_or_404
from srm_project.recent_proof import recent_proof_required
from srm_project.requests import SignedInRequest

MAX_SHOWN = 200  # changes on one page; the XLSX holds all of them


@require_GET
def closing(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Is the window closed, what was kept, and what became otherwise since?"""
    return _page(request, uuid)


def _page(
    request: SignedInRequest,
    uuid: Any,
    *,
    form: ClosingForm | None = None,
    decide: DecideClosingForm | None = None,
) -> HttpResponse:
    opened = audit_or_404(request, uuid)
    engagement = opened.engagement
    stored = closing_of(engagement)
    waits = stored is not None and stored.state == ClosingState.REQUESTED
    closed = stored is not None and stored.state == ClosingState.CLOSED
    seen = {"version": stored.version} if stored else {}
    officer = may_ask_to_close(engagement, by=request.user)
    over = engagement.window_end < opened.system.day_of(clock.now())
    later = after_closing(engagement, opened.clocks.moment)
    changes = later.changes if later else []
    kept = stored.exports.order_by("pk") if closed and stored else []
    labels = dict(
        opened.system.implementations.values_list("pk", "control__label")
        if changes
        else ()
    )
    context = opened.context(request) | {
        "closing": stored,
        "waits": waits,
        "closed": closed,
        "over": over,
        "may_ask": officer and over and not waits and not closed,
        "may_withdraw": officer and waits,
        "may_decide": opened.may_mark and waits,
        "form": form or ClosingForm(),
        "decide": decide or DecideClosingForm(initial=seen),
        "withdraw": WithdrawClosingForm(initial=seen, auto_id="withdraw_%s"),
        "kept": kept,
        "later": later,
        "changes": [
            (labels.get(change.implementation or 0, ""), change)
            for change in changes[:MAX_SHOWN]
        ],
        "more": max(0, len(changes) - MAX_SHOWN),
    }
    status = 422 if form or decide else 200
    return render(request, "evidence/engagements/closing.html", context, status=status)


@require_POST
@recent_proof_required
def closing_request(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Ask the auditors to close the window."""
    engagement = engagement_or_404(request, uuid)
    form = ClosingForm(request.POST)
    back = redirect("evidence:closing", uuid)
    if not form.is_valid():
        return _page(request, uuid, form=form)
    try:
        request_closing(
            engagement,
            note=form.cleaned_data["note"],
            by=request.user,
            now=clock.now(),
        )
    except ValidationError as refusal:
        if getattr(refusal, "status_code", 400) != 400:
            return answer_with(request, refusal, back)
        explain(form, refusal)
        return _page(request, uuid, form=form)
    messages.success(
        request, "The auditors are asked to close the window; one of them confirms it."
    )
    return back


def _waiting_or_404(request: SignedInRequest, uuid: Any) -> WindowClosing:
    engagement = engagement_or_404(request, uuid)
    rows = engagement.closings.for_listing()
    stored: WindowClosing = get_object_or_404(rows[:1])
    return stored


@require_POST
@recent_proof_required
def closing_decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Close the window, or say what is lacking."""
    stored = _waiting_or_404(request, uuid)
    form = DecideClosingForm(request.POST)
    if not form.is_valid():
        return _page(request, uuid, decide=form)
    version = form.cleaned_data["version"]
    confirmed = form.cleaned_data["decision"] == "confirm"
    seen = {"by": request.user, "now": clock.now(), "version": version}
    try:
        if confirmed:
            confirm_closing(stored, **seen)
        else:
            refuse_closing(stored, reason=form.cleaned_data["reason"], **seen)
    except ValidationError as refusal:
        if getattr(refusal, "status_code", 400) != 400:
            return answer_with(request, refusal, redirect("evidence:closing", uuid))
        explain(form, refusal)
        return _page(request, uuid, decide=form)
    messages.success(
        request,
        "The window is closed. Its exports are made now, and kept."
        if confirmed
        else "The window stays open; the officers read why.",
    )
    return redirect("evidence:closing", uuid)


@require_POST
@recent_proof_required
def kept_again(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Have a file of the closing made that could not be made then."""
    rows = Export.objects.kept_for(request.user).select_related("closing__engagement")
    export = get_object_or_404(rows, uuid=uuid)
    closing = export.closing
    assert closing is not None  # what is kept is of a closing
    form = AgainForm(request.POST)
    seen = form.cleaned_data["given_up_at"] if form.is_valid() else None
    back = redirect("evidence:closing", closing.engagement.uuid)
    try:
        make_again(export, by=request.user, given_up_at=seen)
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    messages.success(
        request,
        f"{export.get_kind_display()} is made again, of the same clocks. It appears"
        " below with its hash when done.",
    )
    return back


@require_POST
@recent_proof_required
def closing_withdraw(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Take the request back."""
    stored = _waiting_or_404(request, uuid)
    form = WithdrawClosingForm(request.POST)
    version = form.cleaned_data["version"] if form.is_valid() else None
    back = redirect("evidence:closing", uuid)
    try:
        withdraw_closing(stored, by=request.user, now=clock.now(), version=version)
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    messages.success(request, "The request is taken back: the window stays open.")
    return back
