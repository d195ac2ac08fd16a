"""How far many controls are, in one act; and how far one was, in retrospect."""

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
from controls.implementation_bulk import Proposal, confirm, propose, sealed
from controls.implementation_in_retrospect import request_status_change
from controls.models import ControlImplementation, ImplementationStatus, System
from evidence.forms.controls import ControlFilter, StatusOfManyForm
from evidence.forms.overrides import EarlierStatusForm
from evidence.requirements.expected import controls_expected_of_us
from evidence.status.control_filter import keys_matching
from evidence.status.control_status import listed, moment_of
from evidence.views.access import (
    implementation_or_404,
    require_officer_page,
    system_or_404,
)
from evidence.views.answers import explain, refused
from evidence.views.control_page import control_page
from evidence.views.once import SAME_AGAIN, once
from srm_project.requests import SignedInRequest


def _describers_system(request: SignedInRequest, slug: str) -> System:
    """The system, where the person may describe some control."""
    system = system_or_404(request, slug)
    mine = ControlImplementation.objects.describable_by(request.user)
    if not mine.filter(system=system).exists():
        raise PermissionDenied("Only an officer or an owner team says this.")
    return system


@require_POST
def status_of_many(request: SignedInRequest, slug: str) -> HttpResponse:
    """What would become of each control of a filtered list; writes nothing."""
    system = _describers_system(request, slug)
    today = system.day_of(clock.now())
    form = StatusOfManyForm(request.POST, today=today)
    page: dict[str, Any] = {"system": system, "form": form}
    page["filters"] = request.GET.urlencode()
    ticked = set(request.POST.getlist("ticked"))
    page["ticked"] = sorted(ticked)
    if not form.is_valid():
        return render(request, "evidence/controls/statuses.html", page, status=422)
    status = form.cleaned_data["implementation_status"]
    first_day = form.cleaned_data["stated_from"]
    moment = moment_of(system, today, None)
    rows = listed(system, moment)
    filters = ControlFilter(request.GET, rows=rows).filters()
    keys = keys_matching(system, moment, rows, filters)
    if ticked:
        named = {row["id"] for row in rows if row["ref_id"] in ticked}
        keys = [key for key in keys if key in named]
    proposals = propose(
        system,
        keys,
        status=status,
        first_day=first_day,
        by=request.user,
        today=today,
        expected_of_us=controls_expected_of_us(system, today),
    )
    page |= {"status": ImplementationStatus(status).label, "first_day": first_day}
    page |= {"today": today, "groups": _groups(proposals)}
    try:
        page["token"] = sealed(
            system, proposals, status=status, first_day=first_day, by=request.user
        )
    except ValidationError as refusal:
        page["refusal"] = " ".join(refusal.messages)
    page["effective"] = sum(row.outcome in ("first", "change") for row in proposals)
    return render(request, "evidence/controls/statuses.html", page)


def _groups(proposals: list[Proposal]) -> list[tuple[str, list[Proposal]]]:
    """The controls by what would become of them, in the words of the page."""
    words = {
        "first": "Nobody has said anything of these days yet",
        "change": "Something else is said, and would change",
        "same": "Said already",
        "refused": "Left as they are",
    }
    groups = [
        (words[outcome], [row for row in proposals if row.outcome == outcome])
        for outcome in words
    ]
    return [(title, rows) for title, rows in groups if rows]


@require_POST
def status_of_many_confirm(request: SignedInRequest, slug: str) -> HttpResponse:
    """Say what the preview showed."""
    system = _describers_system(request, slug)
    token = request.POST.get("token", "")
    before = was_confirmed(request.user, token)
    try:
        today = system.day_of(clock.now())
        expected = controls_expected_of_us(system, today)
        count = confirm(
            system, token, by=request.user, today=today, expected_of_us=expected
        )
    except NotPermitted as refusal:
        raise PermissionDenied(" ".join(refusal.messages)) from refusal
    except ValidationError as refusal:
        return refused(request, refusal)
    done = SAME_AGAIN if before else f"Said of {count_of(count, 'control')}."
    messages.success(request, done)
    filters = request.GET.urlencode()
    place = reverse("evidence:controls", args=[system.slug])
    return redirect(f"{place}?{filters}" if filters else place)


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
    messages.success(
        request, "Requested. The past stays as it is until another officer approves."
    )
    return redirect("evidence:control", slug, ref_id)
