"""Other ways to meet a control: asked for, decided, ended."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from controls import clock
from controls.alternatives import decide_alternative
from controls.early_ends import request_end
from controls.errors import NotPermitted, TransitionNotAllowed
from controls.models import AlternativeImplementation, ControlImplementation
from controls.withdrawals import withdraw_request
from evidence.forms.overrides import AlternativeForm
from evidence.requirements.alternatives import (
    own_requirements,
    request_with_requirements,
)
from evidence.views.access import (
    implementation_or_404,
    require_officer_page,
)
from evidence.views.answers import (
    TAKEN_BACK,
    answer_with,
    approves,
    explain,
    return_to_work,
    say_it_waits,
    typed_reason,
    withdraws,
)
from evidence.views.control_page import control_page
from evidence.views.once import once
from srm_project.requests import SignedInRequest

APPROVED = "Approved: it holds on its days, and its own asks prove it."


def _to_control(implementation: ControlImplementation) -> HttpResponse:
    return redirect(
        "evidence:control", implementation.system.slug, implementation.control.ref_id
    )


@require_POST
@once
def alternative_request(
    request: SignedInRequest, slug: str, ref_id: str
) -> HttpResponse:
    """Ask to meet the control in another way; another officer decides."""
    implementation = implementation_or_404(request, slug, ref_id)
    require_officer_page(request.user, implementation.system)
    today = implementation.system.day_of(clock.now())
    requirements = own_requirements(implementation, today)
    form = AlternativeForm(request.POST, today=today, requirements=requirements)
    page = {"alternative_form": form}
    if not form.is_valid():
        return control_page(request, implementation, status=422, **page)
    try:
        request_with_requirements(
            implementation, form.draft(), by=request.user, today=today
        )
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        explain(form, refusal)
        status = 409 if isinstance(refusal, TransitionNotAllowed) else 422
        return control_page(request, implementation, status=status, **page)
    requested = "Requested. Nothing changes until another officer approves it."
    say_it_waits(request, implementation.system, requested)
    return _to_control(implementation)


@require_POST
def alternative_decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Approve or refuse what somebody else asked for, or take back one's own."""
    alternative = _of_mine(request, uuid)
    implementation = alternative.implementation
    today = implementation.system.day_of(clock.now())
    back = return_to_work(request) or _to_control(implementation)
    try:
        if withdraws(request):
            withdraw_request(alternative, by=request.user, today=today)
            done = TAKEN_BACK
        else:
            approve = approves(request)
            decide_alternative(
                alternative, approve=approve, by=request.user, today=today
            )
            done = APPROVED if approve else "Refused: the control stays as it is."
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    messages.success(request, done)
    return back


@require_POST
def alternative_end(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Ask that it holds no more, with a reason; another officer decides."""
    alternative = _of_mine(request, uuid)
    implementation = alternative.implementation
    today = implementation.system.day_of(clock.now())
    try:
        reason = typed_reason(request)
        request_end(alternative, reason=reason, by=request.user, today=today)
    except ValidationError as refusal:
        return answer_with(request, refusal, _to_control(implementation))
    requested = "Requested. It goes on until another officer agrees."
    say_it_waits(request, implementation.system, requested)
    return _to_control(implementation)


def _of_mine(request: SignedInRequest, uuid: Any) -> AlternativeImplementation:
    """One of a control that the person may read, for officers of its system."""
    mine = AlternativeImplementation.objects.visible_to(request.user).for_listing()
    stored: AlternativeImplementation = get_object_or_404(mine, uuid=uuid)
    require_officer_page(request.user, stored.implementation.system)
    return stored
