"""Where regional services run of which nobody has said it yet."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from controls.grammar import count_of
from controls.models import System
from evidence.forms.components import regions_in_use
from evidence.forms.regions import SayRegionsForm
from evidence.systems.regions import say_regions, without_region
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import explain
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
def regions(request: SignedInRequest, slug: str) -> HttpResponse:
    """Say all of it in one act, from one day on."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    components = list(without_region(System.objects.filter(pk=system.pk)))
    form = SayRegionsForm(
        request.POST if request.method == "POST" else None,
        components=components,
        proposed=regions_in_use(system),
    )
    if request.method == "POST" and form.is_valid():
        first_day = form.cleaned_data["first_day"]
        try:
            changed = say_regions(
                system, form.regions(), first_day=first_day, by=request.user
            )
        except ValidationError as refusal:
            explain(form, refusal)
        else:
            components_have = count_of(len(changed), "component", "has")
            sentence = f"{components_have} a region from {first_day} on."
            messages.success(request, sentence)
            return redirect("evidence:components", system.slug)
    page = {"system": system, "form": form, "components": components}
    status = 422 if form.is_bound else 200
    return render(request, "evidence/systems/regions.html", page, status=status)
