"""Populations of events: which there are, a new one with its preview, one to judge."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.errors import NotPermitted, Refused, TransitionNotAllowed
from controls.idempotency import was_confirmed
from evidence.forms.populations import (
    PopulationDecisionForm,
    PopulationForm,
    SampleForm,
)
from evidence.forms.reviews import day_answer, required_day
from evidence.models import Population, RequirementControl
from evidence.models.confirmed_days import NOT_CONFIRMED
from evidence.models.populations import STANDING, PopulationState
from evidence.models.retention import ListKeptUntil
from evidence.populations.days_to_cover import days_to_cover
from evidence.populations.populations import (
    decide_population,
    withdraw_population,
)
from evidence.populations.preview import confirm, pasted, preview
from evidence.populations.who_may import (
    brought_by,
    may_draw,
    may_review_population,
    may_submit_population,
    may_withdraw_population,
    require_population_submitter,
)
from evidence.reviews.late_recording import late_recording_of
from evidence.status.control_status import today_of
from evidence.storage import StoreFull, StoreUnreachable
from evidence.submissions.uploads import Upload
from evidence.submissions.waiting_files import WaitingFile
from evidence.views.answers import explain, refused
from evidence.views.once import SAME_AGAIN
from evidence.views.uploads import unreadable
from srm_project.file_places import take_upload_place
from srm_project.requests import SignedInRequest

PER_PAGE = 100
DONE = {
    "accept": "Accepted: its days are covered. Next, draw a sample of its events.",
    "reject": "Rejected: whoever brought it is told why, and brings another.",
    "withdraw": "Withdrawn: its days are open again.",
}


def requirement_or_404(request: SignedInRequest, uuid: Any) -> RequirementControl:
    """What is asked, if the person may read its system."""
    mine = RequirementControl.objects.visible_to(request.user).for_listing()
    return get_object_or_404(mine, uuid=uuid)


def population_or_404(request: SignedInRequest, uuid: Any) -> Population:
    """The population if the person may read it."""
    mine = Population.objects.visible_to(request.user).for_listing()
    return get_object_or_404(mine, uuid=uuid)


@require_GET
def populations(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Which populations of this requirement are on record?"""
    requirement = requirement_or_404(request, uuid)
    mine = Population.objects.visible_to(request.user).for_listing()
    standing_ones = mine.filter(requirement=requirement).order_by("-ends", "-pk")
    context = {
        "requirement": requirement,
        "page": Paginator(standing_ones, PER_PAGE).get_page(request.GET.get("page")),
        "may_bring": may_submit_population(requirement, by=request.user),
    }
    return render(request, "evidence/populations/list.html", context)


@csrf_exempt  # checked by `_previewed`: the handler must be set before the body is read
@require_http_methods(["GET", "POST"])
def population_new(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """A list of events; shows what would be recorded, and what is wrong by line."""
    requirement = requirement_or_404(request, uuid)
    try:
        require_population_submitter(requirement, by=request.user)
    except ValidationError as refusal:
        return refused(request, refusal)
    unread = unreadable(request)
    if unread is not None:
        return unread
    response: HttpResponse = _previewed(request, requirement)
    return response


@csrf_protect
def _previewed(
    request: SignedInRequest, requirement: RequirementControl
) -> HttpResponse:
    proposed = days_to_cover(requirement, today_of(requirement.system))
    initial = {"starts": proposed[0], "ends": proposed[1]} if proposed else {}
    form = PopulationForm(initial=initial)
    context: dict[str, Any] = {"requirement": requirement, "form": form}
    status = 200
    if request.method == "POST":
        form = context["form"] = PopulationForm(request.POST, request.FILES)
        status = 422
        if form.is_valid():
            try:
                seen = _seen(request, requirement, form)
            except (StoreFull, StoreUnreachable) as failure:
                return refused(request, failure)
            except ValidationError as refusal:
                explain(form, refusal)
            else:
                context |= {"preview": seen, "said": form.statement()}
                status = 422 if seen.events.wrong else 200
    return render(request, "evidence/populations/new.html", context, status=status)


def _seen(
    request: SignedInRequest, requirement: RequirementControl, form: PopulationForm
) -> Any:
    upload = _upload(form)
    try:
        return preview(
            requirement,
            form.statement(),
            upload,
            by=request.user,
            today=today_of(requirement.system),
        )
    finally:
        if upload is not None and upload.incoming is not None:
            upload.incoming.close()


def _upload(form: PopulationForm) -> Upload | None:
    listed, text = form.cleaned_data["list"], form.cleaned_data["pasted"]
    if isinstance(listed, WaitingFile):
        return listed.as_upload()
    return pasted(text) if text else None


@require_POST
def population_confirm(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Record a preview, all of it or nothing."""
    requirement = requirement_or_404(request, uuid)
    token = request.POST.get("token", "")
    today = today_of(requirement.system)
    before = was_confirmed(request.user, token)
    try:
        require_population_submitter(requirement, by=request.user)
        take_upload_place(request)  # the list is read from the store again
        made = confirm(requirement, token, by=request.user, today=today)
    except ValidationError as refusal:
        return refused(request, refusal)
    done = "Recorded. Somebody else reviews it now."
    messages.success(request, SAME_AGAIN if before else done)
    return redirect("evidence:population", uuid=made.uuid)


@require_GET
def population(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What happened in these days, who says so, and what was drawn from it?"""
    return population_page(request, population_or_404(request, uuid))


def population_page(
    request: SignedInRequest,
    population_row: Population,
    *,
    status: int = 200,
    **forms: Any,
) -> HttpResponse:
    """The page of a population, with forms as somebody filled them in."""
    user = request.user
    standing = population_row.state in STANDING
    rows = Paginator(population_row.items.order_by("position"), PER_PAGE)
    context = {
        "population": population_row,
        "reviews": population_row.reviews.order_by("pk"),
        "samples": population_row.samples.for_listing().order_by("pk"),
        "page": rows.get_page(request.GET.get("page")),
        "may_judge": population_row.state == PopulationState.SUBMITTED
        and may_review_population(population_row, by=user),
        "may_withdraw": standing and may_withdraw_population(population_row, by=user),
        "may_draw": standing
        and population_row.row_count > 0
        and may_draw(population_row, by=user),
        "drawn_by_others": standing
        and population_row.row_count > 0
        and brought_by(population_row, by=user),
        "judge_form": PopulationDecisionForm(),
        "recording": late_recording_of(population_row),
        "kept_day": day_answer(request.POST),
        "sample_form": SampleForm(),
        "kept_until": _kept_until(population_row),
        "no_end": dt.date.max,
    }
    context |= forms
    return render(request, "evidence/populations/detail.html", context, status=status)


def _kept_until(population_row: Population) -> dt.date | None:
    """Until when the file is kept; None where there is none or its bytes are gone."""
    with_bytes = Population.objects.filter(pk=population_row.pk, blob__purged_at=None)
    rows = with_bytes.exclude(blob=None).annotate(kept=ListKeptUntil("pk"))
    return rows.values_list("kept", flat=True).first()


@require_POST
def population_judge(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Accept, reject or withdraw."""
    population_row = population_or_404(request, uuid)
    form = PopulationDecisionForm(request.POST)
    if not form.is_valid():
        return population_page(request, population_row, judge_form=form, status=400)
    reason = form.cleaned_data["reason"]
    decision = request.POST.get("decision")
    try:
        if decision == "withdraw":
            withdraw_population(population_row, reason=reason, by=request.user)
        elif decision in {"accept", "reject"}:
            accept = decision == "accept"
            day = NOT_CONFIRMED
            if accept:
                day = required_day(request.POST, late_recording_of(population_row))
            decide_population(
                population_row, accept=accept, reason=reason, by=request.user, day=day
            )
        else:
            raise Refused("Say whether you accept, reject or withdraw it.")
    except (NotPermitted, TransitionNotAllowed) as refusal:  # the page has no form now
        back = reverse("evidence:population", args=[population_row.uuid])
        return refused(request, refusal, back=back)
    except ValidationError as refusal:
        explain(form, refusal)
        status = getattr(refusal, "status_code", 400)
        return population_page(request, population_row, judge_form=form, status=status)
    messages.success(request, DONE[decision])
    return redirect("evidence:population", uuid=population_row.uuid)
