"""How far a control was on days before today; another officer decides."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from controls import clock
from controls.errors import NotPermitted
from controls.implementation_in_retrospect import request_status_change
from evidence.forms.overrides import EarlierStatusForm
from evidence.views.access import implementation_or_404, require_officer_page
from evidence.views.answers import explain, say_it_waits
from evidence.views.control_page import control_page
from evidence.views.once import once
from srm_project.requests import SignedInRequest


@require_POST
@once
def status_in_retrospect(
    request: SignedInRequest, slug: str, ref_id: str
) -> HttpResponse:
    """Ask that a control was so far on days before today; another officer decides."""
    implementation = implementation_or_404(request, slug, ref_id)
    require_officer_page(request.user, implementation.system)
    form = EarlierStatusForm(request.POST)
    page = {"earlier_form": form}
    if not form.is_valid():
        return control_page(request, implementation, status=422, **page)
    try:
        request_status_change(
            implementation.system,
            [ref_id],
            status=form.cleaned_data["implementation_status"],
            first_day=form.cleaned_data["first_day"],
            reason=form.cleaned_data["reason"],
            by=request.user,
            today=implementation.system.day_of(clock.now()),
        )
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        explain(form, refusal)
        return control_page(request, implementation, status=422, **page)
    requested = "Requested. The past stays as it is until another officer approves."
    say_it_waits(request, implementation.system, requested)
    return redirect("evidence:control", slug, ref_id)
