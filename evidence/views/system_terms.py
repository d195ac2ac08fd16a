"""What a system is judged by: regime, impact level, partition and currency."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from controls import clock
from controls.access import is_officer
from controls.system_terms import change_system_terms, terms_on
from evidence.forms.system_terms import SystemTermsForm
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import explain, say_it_waits
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
def terms(request: SignedInRequest, slug: str) -> HttpResponse:
    """What is the system judged by, on which days, and who said so?"""
    system = system_or_404(request, slug)
    today = system.day_of(clock.now())
    form = SystemTermsForm.about(system, today)
    if request.method == "POST":
        require_officer_page(request.user, system)
        form = SystemTermsForm(request.POST)
        if form.is_valid():
            try:
                change = change_system_terms(
                    system,
                    form.terms(),
                    from_day=form.cleaned_data["from_day"],
                    reason=form.cleaned_data["reason"],
                    by=request.user,
                    today=today,
                    version=form.cleaned_data["version"],
                )
            except ValidationError as refusal:
                explain(form, refusal)
            else:
                requested = "Requested. It holds once another officer approves it."
                say_it_waits(request, system, requested)
                return redirect("evidence:retrospective", change.uuid)
    rows = system.terms.select_related("stated_by", "change__decided_by")
    page = {
        "system": system,
        "rows": rows.order_by("-days"),
        "held": terms_on(system, today),
        "today": today,
        "officer": is_officer(request.user, system),
        "form": form,
    }
    status = 422 if form.is_bound else 200
    return render(request, "evidence/systems/terms.html", page, status=status)
