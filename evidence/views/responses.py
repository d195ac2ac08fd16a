"""Responses to what an auditor will ask about: listed, written, decided."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.access import may_describe
from controls.errors import Refused, SrmError
from evidence.findings.responses import (
    NO_ITEM,
    decide_response,
    items_answered,
    narrowed_items,
    require_response_decider,
    respond,
)
from evidence.findings.who_may import may_respond_in
from evidence.forms.clocks import clocks_of
from evidence.forms.responses import ItemFilter, ResponseDecisionForm, ResponseForm
from evidence.models import ItemResponse
from evidence.status.control_status import NOT_RECORDED
from evidence.views.access import implementation_or_404, system_or_404
from evidence.views.answers import explanation_page, refused, return_to_work
from evidence.views.findings import form_page
from evidence.views.once import once
from evidence.views.whole_list import page_of
from srm_project.requests import SignedInRequest

WRITTEN = (
    "Your response is recorded. It stands beside the item once somebody who did not"
    " write one has accepted it, and answers what is counted there today."
)


@require_GET
def responses(request: SignedInRequest, slug: str) -> HttpResponse:
    """What will an auditor ask about in the window, and what is not answered yet?"""
    system = system_or_404(request, slug)
    clocks = clocks_of(request, system)
    try:
        rows = items_answered(system, clocks.moment, clocks.window)
    except LookupError:  # the system was not recorded by then
        rows = []
    chosen = ItemFilter(request.GET)
    filters = chosen.filters()
    may_respond = may_respond_in(system, request.user)
    page = {
        "system": system,
        "clocks": clocks,
        "here": reverse("evidence:responses", args=[slug]),
        "page": page_of(request, narrowed_items(rows, filters)),
        "filter": chosen,
        "kept_filters": filters,
        "total": len(rows),
        "unanswered": sum(not row.is_answered for row in rows),
        "answerable": {
            row.implementation.pk
            for row in rows
            if clocks.now and may_respond(row.implementation)
        },
    }
    return render(request, "evidence/responses/list.html", page)


@require_http_methods(["GET", "POST"])
@once
def response_new(
    request: SignedInRequest, slug: str, ref_id: str, key: str
) -> HttpResponse:
    """Respond to one item of a control; a second person decides."""
    implementation = implementation_or_404(request, slug, ref_id)
    if not may_describe(implementation, request.user):
        raise PermissionDenied("Only an officer or the owner team may respond.")
    clocks = clocks_of(request, implementation.system)
    try:
        rows = items_answered(
            implementation.system,
            clocks.moment,
            clocks.window,
            implementations=[implementation],
        )
    except LookupError:
        raise Http404(NOT_RECORDED) from None
    item = next((row.item for row in rows if row.item.key == key), None)
    if item is None:
        raise Http404(NO_ITEM)
    form = ResponseForm(request.POST or None, initial={"seen": item.extent.key})

    def save() -> str:
        respond(
            implementation, key, clocks.window, by=request.user, **form.cleaned_data
        )
        messages.success(request, WRITTEN)
        return reverse("evidence:responses", args=[slug])

    label = implementation.control.label
    heading = (
        f"Response: {label}, {item.title}, {item.starts} to {item.ends}"
        f" ({item.extent.words})"
    )
    return form_page(request, form, save, implementation, heading, "Submit it")


@require_POST
def response_decide(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Accept or reject a response, as a second person."""
    rows = ItemResponse.objects.visible_to(request.user).select_related(
        "system", "implementation"
    )
    response: ItemResponse = get_object_or_404(rows, uuid=uuid)
    form = ResponseDecisionForm(request.POST)
    back = reverse("evidence:responses", args=[response.system.slug])
    try:
        require_response_decider(response, by=request.user)
        if "reason" in form.errors:
            raise Refused({"reason": list(form.errors["reason"])})
        if not form.is_valid():
            sentence = "Say whether you accept or reject."
            return explanation_page(request, sentence, 400, back=back)
        decide_response(response, by=request.user, **form.cleaned_data)
    except SrmError as refusal:
        return refused(request, refusal, back=back)
    messages.success(request, "Your decision is recorded.")
    return return_to_work(request) or redirect(back)
