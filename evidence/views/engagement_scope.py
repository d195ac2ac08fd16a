"""What an audit is about, as officers keep it: its controls, and its systems."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from controls import clock
from controls.engagement_scope import in_words, scope_of_engagement
from controls.errors import Refused
from controls.models import Engagement
from evidence.engagements.scope import choose_scope
from evidence.engagements.scope_changes import changes_of
from evidence.engagements.scope_list import read_scope
from evidence.engagements.systems import add_to_audit, take_out_of_audit
from evidence.forms.engagements import ScopeForm, SystemToAddForm, TakeOutForm
from evidence.status.control_status import named
from evidence.status.rows import Moment
from evidence.views.answers import answer_with, explain
from evidence.views.engagements import (
    access_page,
    officers_engagement_or_404,
    systems_to_add,
    to_access,
)
from evidence.views.once import once
from srm_project.recent_proof import recent_proof_required
from srm_project.requests import SignedInRequest

PASTED_FOR_ALL = "Take “Chosen controls”, or leave the list empty."


@require_http_methods(["GET", "HEAD", "POST"])
def engagement_scope(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Which controls is this audit about?"""
    engagement = officers_engagement_or_404(request, slug, uuid)
    scope = scope_of_engagement(engagement)
    if request.method != "POST":
        which = "chosen" if scope.chosen else "baseline"
        initial = {"which": which, "version": engagement.version}
        form = ScopeForm(initial=initial)
        return _scope_page(request, engagement, form, scope.controls or ())
    form = ScopeForm(request.POST)
    ticked = request.POST.getlist("controls")
    if not form.is_valid():
        return _scope_page(request, engagement, form, ticked)
    try:
        system, typed = engagement.system, form.cleaned_data["pasted"]
        today = system.day_of(clock.now())
        pasted = read_scope(system, typed, on=today, field="pasted")
        chosen = {*ticked, *pasted.controls}
        whole = form.cleaned_data["which"] == "baseline"
        if whole and pasted.controls:
            raise Refused({"which": PASTED_FOR_ALL})
        after = choose_scope(
            engagement,
            None if whole else chosen,
            by=request.user,
            reason=form.cleaned_data["reason"],
            version=form.cleaned_data["version"],
        )
    except ValidationError as refusal:
        if getattr(refusal, "status_code", 400) != 400:
            return answer_with(request, refusal, redirect(request.path))
        explain(form, refusal)
        return _scope_page(request, engagement, form, ticked)
    messages.success(
        request,
        f"This audit is about {in_words(after)}; its pages and files follow."
        f" {pasted.sentence}".rstrip(),
    )
    return to_access(engagement)


def _scope_page(
    request: SignedInRequest,
    engagement: Engagement,
    form: ScopeForm,
    ticked: Collection[str],
) -> HttpResponse:
    system = engagement.system
    context = {
        "system": system,
        "engagement": engagement,
        "form": form,
        "rows": named(system, Moment(system.day_of(clock.now()))),
        "ticked": ticked,
        "changes": changes_of(engagement, None),
        "let_in": engagement.memberships.exists(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "evidence/engagements/scope.html", context, status=status)


@require_POST
@recent_proof_required
@once
def engagement_add_system(
    request: SignedInRequest, slug: str, uuid: Any
) -> HttpResponse:
    """Add a system to the audit."""
    engagement = officers_engagement_or_404(request, slug, uuid)
    systems = systems_to_add(request, engagement)
    form = SystemToAddForm(request.POST, systems=systems)
    if not form.is_valid():
        return access_page(request, engagement, addition=form)
    try:
        added = add_to_audit(
            engagement,
            form.cleaned_data["system"],
            let_in=form.cleaned_data["let_in"],
            by=request.user,
            now=clock.now(),
            version=form.cleaned_data["version"],
        )
    except ValidationError as refusal:
        if getattr(refusal, "status_code", 400) != 400:
            return answer_with(request, refusal, to_access(engagement))
        explain(form, refusal)
        return access_page(request, engagement, addition=form)
    people = ", ".join(str(person) for person in added.let_in)
    let_in = f"Let in there: {people}." if people else "Nobody is let in there yet."
    messages.success(
        request,
        f"{added.engagement.system} is added to “{engagement.title}”, with its whole"
        f" baseline. {let_in} Next, choose its controls if the audit is not about all"
        " of them.",
    )
    return to_access(added.engagement)


@require_POST
@recent_proof_required
def engagement_take_out(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Take this system out of the audit, where nothing of it was tested."""
    engagement = officers_engagement_or_404(request, slug, uuid)
    form = TakeOutForm(request.POST, auto_id="out_%s")
    if not form.is_valid():
        return access_page(request, engagement, removal=form)
    try:
        take_out_of_audit(
            engagement,
            reason=form.cleaned_data["reason"],
            by=request.user,
            now=clock.now(),
            version=form.cleaned_data["version"],
        )
    except ValidationError as refusal:
        if getattr(refusal, "status_code", 400) != 400:
            return answer_with(request, refusal, to_access(engagement))
        explain(form, refusal)
        return access_page(request, engagement, removal=form)
    messages.success(
        request,
        f"{engagement.system} is out of “{engagement.title}” from now on; its auditors"
        " read nothing here any more. What was known before still shows it.",
    )
    return to_access(engagement)
