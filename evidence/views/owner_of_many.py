"""Whose many controls of a list are, in one act."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from controls import clock
from controls.errors import NotPermitted
from controls.grammar import count_of
from controls.idempotency import was_confirmed
from controls.owner_bulk import confirm_owner, propose_owner, sealed_owner
from evidence.forms.controls import ControlFilter, OwnerOfManyForm
from evidence.status.control_filter import keys_matching
from evidence.status.control_status import listed, moment_of
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import refused
from evidence.views.once import SAME_AGAIN
from srm_project.requests import SignedInRequest


@require_POST
def owner_of_many(request: SignedInRequest, slug: str) -> HttpResponse:
    """What would become of each control, all of a list or those ticked; writes
    nothing."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    form = OwnerOfManyForm(request.POST)
    ticked = set(request.POST.getlist("ticked"))
    page: dict[str, Any] = {"system": system, "form": form, "ticked": sorted(ticked)}
    page["filters"] = request.GET.urlencode()
    if not form.is_valid():
        return render(request, "evidence/controls/owners.html", page, status=422)
    team = form.cleaned_data["owner_team"]
    moment = moment_of(system, system.day_of(clock.now()), None)
    rows = listed(system, moment)
    filters = ControlFilter(request.GET, rows=rows).filters()
    keys = keys_matching(system, moment, rows, filters)
    if ticked:
        named = {row["id"] for row in rows if row["ref_id"] in ticked}
        keys = [key for key in keys if key in named]
    proposals = propose_owner(system, keys, team, by=request.user)
    changing = [row for row in proposals if row.outcome == "change"]
    page |= {
        "team": team,
        "changing": changing,
        "same": [row for row in proposals if row.outcome == "same"],
    }
    try:
        page["token"] = sealed_owner(system, proposals, team, by=request.user)
    except ValidationError as refusal:
        page["refusal"] = " ".join(refusal.messages)
    return render(request, "evidence/controls/owners.html", page)


@require_POST
def owner_of_many_confirm(request: SignedInRequest, slug: str) -> HttpResponse:
    """Name the owner that the preview showed."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    token = request.POST.get("token", "")
    before = was_confirmed(request.user, token)
    try:
        count = confirm_owner(system, token, by=request.user)
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        return refused(request, refusal)
    owned = f"{count_of(count, 'control', 'has')} another owner now."
    messages.success(request, SAME_AGAIN if before else owned)
    filters = request.GET.urlencode()
    place = reverse("evidence:controls", args=[system.slug])
    return redirect(f"{place}?{filters}" if filters else place)
