"""What an account uses, held against the system: sent, seen, accepted line by line."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from controls import clock
from controls.grammar import count_of, day_in_words
from controls.idempotency import was_confirmed
from controls.reference.account_uses import uses_of
from evidence.forms.discovery import AcceptUsesForm, UsesForm
from evidence.systems.discovery import (
    accept_discovery,
    compare_uses,
    sealed_discovery,
)
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import explain, refused
from evidence.views.once import SAME_AGAIN
from evidence.views.what_changed import controls_now, say_what_changed
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
def discovery(request: SignedInRequest, slug: str) -> HttpResponse:
    """Take a list, and show what is in use and what was not seen; writes nothing."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    sent = request.method == "POST"
    form = UsesForm(request.POST, request.FILES) if sent else UsesForm()
    page: dict[str, Any] = {"system": system, "form": form}
    if sent and form.is_valid():
        today = system.day_of(clock.now())
        try:
            comparison = compare_uses(
                system, uses_of(form.seen), today=today, by=request.user
            )
        except ValidationError as refusal:
            explain(form, refusal)
        else:
            page["discovery"] = comparison
            page["token"] = sealed_discovery(system, comparison, by=request.user)
            page["accept"] = AcceptUsesForm(initial={"from_day": today})
            return render(request, "evidence/systems/discovered.html", page)
    status = 400 if sent else 200
    return render(request, "evidence/systems/discovery.html", page, status=status)


@require_POST
def discovery_accept(request: SignedInRequest, slug: str) -> HttpResponse:
    """Take into use, and end, what is ticked."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    form = AcceptUsesForm(request.POST)
    token = request.POST.get("token", "")
    accepted_before = was_confirmed(request.user, token)
    controls = controls_now(system)
    try:
        if not form.is_valid():
            raise ValidationError([*form.errors["from_day"]])
        accepted = accept_discovery(
            system,
            token,
            add=request.POST.getlist("add"),
            end=request.POST.getlist("end"),
            from_day=form.cleaned_data["from_day"],
            by=request.user,
            today=system.day_of(clock.now()),
        )
    except ValidationError as refusal:
        return refused(request, refusal)
    if accepted_before:
        messages.success(request, SAME_AGAIN)
    else:
        day = day_in_words(form.cleaned_data["from_day"])
        lines = count_of(accepted, "line", "is")
        messages.success(request, f"{lines} accepted, from {day} on.")
        say_what_changed(request, system, controls)
    return redirect("evidence:components", system.slug)
