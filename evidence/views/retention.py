"""How long a system keeps evidence, and the legal holds over it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from controls import clock
from controls.access import is_officer
from controls.models import System
from evidence.files.held_bytes import not_set_yet
from evidence.files.legal_holds import lift_hold, may_lift, place_hold
from evidence.files.purge import EVIDENCE, bytes_of, ended_records
from evidence.files.retention import change_retention, retention_years
from evidence.forms.retention import HoldForm, LiftForm, RetentionForm
from evidence.models import Evidence, LegalHold
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import answer_with, explain, say_it_waits
from evidence.views.once import once
from srm_project.recent_proof import recent_proof_required
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@recent_proof_required
def retention(request: SignedInRequest, slug: str) -> HttpResponse:
    """How long is evidence kept here, who said so, and what is held longer?"""
    system = system_or_404(request, slug)
    form = None
    if request.method == "POST":
        require_officer_page(request.user, system)
        form = RetentionForm(request.POST)
        if form.is_valid():
            try:
                change = change_retention(
                    system,
                    form.cleaned_data["years"],
                    reason=form.cleaned_data["reason"],
                    by=request.user,
                    today=system.day_of(clock.now()),
                )
            except ValidationError as refusal:
                explain(form, refusal)
            else:
                requested = "Requested. It holds once another officer approves it."
                say_it_waits(request, system, requested)
                return redirect("evidence:retrospective", change.uuid)
    return _page(request, system, form)


def _page(
    request: SignedInRequest, system: System, form: RetentionForm | None
) -> HttpResponse:
    officer, years = is_officer(request.user, system), retention_years(system)
    ended = ended_records(system.slug) if officer else []
    pieces = sum(piece.key.kind == EVIDENCE for piece in ended)
    holds = LegalHold.objects.visible_to(request.user).filter(system=system)
    page = {
        "system": system,
        "years": years,
        "classes": system.retention_classes.newest_first(),
        "holds": holds.for_listing() if officer else (),
        "ended": pieces,
        "ended_lists": len(ended) - pieces,
        "ended_bytes": bytes_of(ended),
        "holds_to_set": len(not_set_yet()) if officer else 0,
        "officer": officer,
        "form": form or RetentionForm(initial={"years": years}),
    }
    status = 422 if form else 200
    return render(request, "evidence/retention/retention.html", page, status=status)


@require_http_methods(["GET", "POST"])
@once
def hold_new(request: SignedInRequest, slug: str) -> HttpResponse:
    """Let nobody destroy the evidence of a system; with `?evidence=`, one piece."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    evidence = _evidence(request, system)
    form = HoldForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            place_hold(system, evidence=evidence, reason=reason, by=request.user)
        except ValidationError as refusal:
            explain(form, refusal)
        else:
            messages.success(
                request,
                "The legal hold stands: nothing under it is destroyed until another"
                " officer lifts it.",
            )
            return redirect("evidence:retention", system.slug)
    page = {"system": system, "evidence": evidence, "form": form}
    status = 422 if form.is_bound else 200
    return render(request, "evidence/retention/hold_new.html", page, status=status)


def _evidence(request: SignedInRequest, system: System) -> Evidence | None:
    """The piece of evidence that the address names; 404 where it is not there."""
    named = request.GET.get("evidence")
    if not named:
        return None
    try:
        return get_object_or_404(
            Evidence.objects.visible_to(request.user), system=system, uuid=named
        )
    except ValidationError:
        return get_object_or_404(Evidence.objects.none())


@require_http_methods(["GET", "POST"])
@recent_proof_required
def hold_lift(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Lift a legal hold that another officer placed."""
    mine = LegalHold.objects.visible_to(request.user).for_listing()
    hold = get_object_or_404(mine, uuid=uuid)
    form = LiftForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        back = redirect("evidence:retention", hold.system.slug)
        try:
            lift_hold(hold, reason=form.cleaned_data["reason"], by=request.user)
        except ValidationError as refusal:
            return answer_with(request, refusal, back)
        messages.success(request, "The legal hold is lifted: retention decides again.")
        return back
    page = {"hold": hold, "form": form, "may_lift": may_lift(hold, request.user)}
    status = 422 if form.is_bound else 200
    return render(request, "evidence/retention/hold_lift.html", page, status=status)
