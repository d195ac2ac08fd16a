"""Other days for the audit window of a system: done, or asked of a second officer."""

from __future__ import annotations

import datetime as dt

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from controls import clock
from controls.audit_window import KIND, change_audit_window
from controls.models import System
from evidence.forms.calendar import WindowDaysForm
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import explain, say_it_waits
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
def window_days(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which days should the audit window have, why, and who decides on that?"""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    today = system.day_of(clock.now())
    form, status = WindowDaysForm.about(system), 200
    if request.method == "POST":
        form, status = WindowDaysForm(request.POST), 422
        if form.is_valid():
            try:
                return _changed(request, system, form, today)
            except ValidationError as refusal:
                explain(form, refusal)
                status = getattr(refusal, "status_code", 422)
                system.refresh_from_db()
    waiting = system.retrospective_changes.waiting().filter(kind=KIND)
    page = {
        "system": system,
        "form": form,
        "has_begun": system.window_start < today,
        "waiting": waiting.for_listing().order_by("pk"),
    }
    return render(request, "evidence/systems/window_days.html", page, status=status)


def _changed(
    request: SignedInRequest, system: System, form: WindowDaysForm, today: dt.date
) -> HttpResponse:
    """Change the days, or ask for it; where that leads, with a sentence."""
    typed = form.cleaned_data
    start, end = typed["window_start"], typed["window_end"]
    before = (system.window_start, system.window_end)
    change = change_audit_window(
        system,
        start,
        end,
        reason=typed["reason"],
        by=request.user,
        today=today,
        version=typed["version"],
    )
    now = f"{before[0]} to {before[1]}"
    if change is not None:
        say_it_waits(
            request,
            system,
            f"Asked for: the window stays {now} until another officer approves it.",
        )
        return redirect("evidence:retrospective", change.uuid)
    if before == (start, end):
        messages.info(request, f"Nothing changed: the window is {now} already.")
    else:
        messages.success(
            request,
            f"The audit window is {start} to {end}; it was {now}. Here is how the"
            " controls stand over it.",
        )
    return redirect("evidence:window", system.slug)
