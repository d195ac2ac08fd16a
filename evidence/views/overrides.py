"""Changing what is said of one control: words, class, applicability.

One file: each is asked for, decided and answered in the same way.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from controls import clock
from controls.access import require_describer
from controls.applicability import decide_not_applicable
from controls.control_parts import parts_of
from controls.early_ends import decide_end, request_end
from controls.errors import NotPermitted, Refused, StaleVersion, TransitionNotAllowed
from controls.exclusions_in_retrospect import ask_not_applicable, request_end_back
from controls.implementation import describe
from controls.models import (
    Actor,
    ApplicabilityDecision,
    ControlImplementation,
    EndRequest,
    ResponsibilityOverride,
    RetrospectiveChange,
)
from controls.responsibility.exclusions import layers_absent
from controls.responsibility.overrides import (
    ask_override,
    decide_override,
    settle_override,
)
from controls.withdrawals import Request, withdraw_request
from evidence.forms.clocks import DayField
from evidence.forms.overrides import DescribeForm, NotApplicableForm, OverrideForm
from evidence.views.access import (
    implementation_or_404,
    require_officer_page,
)
from evidence.views.answers import (
    TAKEN_BACK,
    answer_with,
    approves,
    explain,
    refused,
    return_to_work,
    say_it_waits,
    typed_reason,
    withdraws,
)
from evidence.views.control_page import control_page
from evidence.views.once import once
from srm_project.requests import SignedInRequest

ASKED_BACK = (
    "Requested as a change in retrospect: it holds once another officer approves it."
)

NA_END_ASKED = "Requested. It applies again once another officer approves."


def _to_control(implementation: ControlImplementation) -> HttpResponse:
    return redirect(
        "evidence:control", implementation.system.slug, implementation.control.ref_id
    )


def _try(
    request: SignedInRequest,
    implementation: ControlImplementation,
    form: forms.Form,
    name: str,
    act: Callable[[], Any],
    done: str,
    *,
    waits: bool = False,
) -> HttpResponse:
    """Do what the form says; what is refused is shown on it, with nothing lost."""
    if not form.is_valid():
        return control_page(request, implementation, status=422, **{name: form})
    try:
        made = act()
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        explain(form, refusal)
        status = _status_of(form, implementation, refusal)
        return control_page(request, implementation, status=status, **{name: form})
    if isinstance(made, RetrospectiveChange):
        say_it_waits(request, implementation.system, ASKED_BACK)
        return redirect("evidence:retrospective", made.uuid)
    if waits:
        say_it_waits(request, implementation.system, done)
    else:
        messages.success(request, done)
    return _to_control(implementation)


def _status_of(
    form: forms.Form, implementation: ControlImplementation, refusal: ValidationError
) -> int:
    """409 for a stale form, which then carries the version that is stored now."""
    if not isinstance(refusal, StaleVersion):
        return 409 if isinstance(refusal, TransitionNotAllowed) else 422
    implementation.refresh_from_db()
    form.data = {**dict(form.data.items()), "version": str(implementation.version)}
    return 409


def _require(refuse: Callable[..., None], *about: Any) -> None:
    """Turn what is not permitted into the page of a 403."""
    try:
        refuse(*about)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal


@require_POST
def control_describe(request: SignedInRequest, slug: str, ref_id: str) -> HttpResponse:
    """Say how far our half is, and how we do it."""
    implementation = implementation_or_404(request, slug, ref_id)
    _require(require_describer, implementation, request.user)
    today = implementation.system.day_of(clock.now())
    form = DescribeForm(
        request.POST, parts=parts_of(implementation.control), today=today
    )
    return _try(
        request,
        implementation,
        form,
        "describe_form",
        lambda: describe(
            implementation, by=request.user, today=today, **form.cleaned_data
        ),
        "Saved: what you said of this control holds from now on.",
    )


@require_POST
@once
def override_request(request: SignedInRequest, slug: str, ref_id: str) -> HttpResponse:
    """Ask for another class; it holds once another officer approves."""
    implementation = implementation_or_404(request, slug, ref_id)
    require_officer_page(request.user, implementation.system)
    today = implementation.system.day_of(clock.now())
    form = OverrideForm(request.POST, today=today, system=implementation.system)
    return _try(
        request,
        implementation,
        form,
        "override_form",
        lambda: ask_override(
            implementation, by=request.user, today=today, **form.cleaned_data
        ),
        "Requested. It holds once another officer approves it.",
        waits=True,
    )


@require_POST
def override_decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Approve or refuse an override somebody else asked for, or take back one's own."""
    override = _of_mine(request, ResponsibilityOverride, uuid)
    today = override.implementation.system.day_of(clock.now())

    def decide() -> str:
        if withdraws(request):
            return _withdraw(override, request.user, today)
        approve = approves(request)
        decide_override(override, approve=approve, by=request.user, today=today)
        return (
            "Approved: the class is changed on its days."
            if approve
            else "Refused: the class stays as it is."
        )

    return _decided(request, override.implementation, decide)


@require_POST
def override_settle(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Ask to end an override early, or let an expired one count no more, from today."""
    override = _of_mine(request, ResponsibilityOverride, uuid)
    today = override.implementation.system.day_of(clock.now())
    try:
        reason = typed_reason(request)
    except Refused as refusal:
        return refused(request, refusal)

    ends_early = today <= override.ends_on

    def settle() -> str:
        if ends_early:
            request_end(override, reason=reason, by=request.user, today=today)
            return "Requested. It ends once another officer approves."
        settle_override(override, on=today, by=request.user, today=today)
        return "Settled: the class below it holds again."

    return _decided(request, override.implementation, settle, waits=ends_early)


@require_POST
def end_decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Approve or refuse an early end of somebody else, or take back one's own."""
    end = _of_mine(request, EndRequest, uuid)
    today = end.implementation.system.day_of(clock.now())

    def decide() -> str:
        if withdraws(request):
            return _withdraw(end, request.user, today)
        approve = approves(request)
        decide_end(end, approve=approve, by=request.user, today=today)
        return "Approved: it ends." if approve else "Refused: it holds on."

    return _decided(request, end.implementation, decide)


@require_POST
@once
def na_request(request: SignedInRequest, slug: str, ref_id: str) -> HttpResponse:
    """Ask to leave the control out; another officer decides."""
    implementation = implementation_or_404(request, slug, ref_id)
    require_officer_page(request.user, implementation.system)
    today = implementation.system.day_of(clock.now())
    form = NotApplicableForm(
        request.POST, today=today, layers=layers_absent(implementation, today)
    )
    return _try(
        request,
        implementation,
        form,
        "na_form",
        lambda: ask_not_applicable(
            implementation, by=request.user, today=today, **form.cleaned_data
        ),
        "Requested. Nothing changes until another officer approves it.",
        waits=True,
    )


@require_POST
def na_decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Approve or refuse a request to leave a control out, or take back one's own."""
    exclusion = _of_mine(request, ApplicabilityDecision, uuid)
    today = exclusion.implementation.system.day_of(clock.now())

    def decide() -> str:
        if withdraws(request):
            return _withdraw(exclusion, request.user, today)
        approve = approves(request)
        decide_not_applicable(exclusion, approve=approve, by=request.user, today=today)
        return (
            "Approved: not applicable." if approve else "Refused: it stays applicable."
        )

    return _decided(request, exclusion.implementation, decide)


@require_POST
def na_end(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Ask that a control that was left out applies again, from a day on."""
    exclusion = _of_mine(request, ApplicabilityDecision, uuid)
    today = exclusion.implementation.system.day_of(clock.now())
    try:
        reason = typed_reason(request)
        typed = request.POST.get("ends_from", "")
        day = DayField().clean(typed) if typed else today
    except ValidationError as refusal:
        return refused(request, refusal)

    def end() -> str:
        ask = request_end_back if day < today else request_end
        ask(exclusion, ends_from=day, reason=reason, by=request.user, today=today)
        return ASKED_BACK if day < today else NA_END_ASKED

    return _decided(request, exclusion.implementation, end, waits=True)


def _withdraw(waiting: Request, by: Actor, today: dt.date) -> str:
    withdraw_request(waiting, by=by, today=today)
    return TAKEN_BACK


def _of_mine(request: SignedInRequest, model: Any, uuid: Any) -> Any:
    """A request about a control that the person may read, by its uuid."""
    mine = model.objects.visible_to(request.user).for_listing()
    stored = get_object_or_404(mine, uuid=uuid)
    require_officer_page(request.user, stored.implementation.system)
    return stored


def _decided(
    request: SignedInRequest,
    implementation: ControlImplementation,
    act: Callable[[], str],
    *,
    waits: bool = False,
) -> HttpResponse:
    """Do it, and say on the control's page what was done, what waits or was refused."""
    back = return_to_work(request) or _to_control(implementation)
    try:
        done = act()
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    if waits:
        say_it_waits(request, implementation.system, done)
    else:
        messages.success(request, done)
    return back
