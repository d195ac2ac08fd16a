"""What is asked of a system's halves: list, templates, one requirement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from controls import clock
from controls.access import is_officer
from controls.errors import NotPermitted
from controls.grammar import count_of
from controls.models import RetrospectiveChange
from evidence.forms.requirements import (
    ChangeForm,
    NewRequirementForm,
    RequirementFilter,
    RetireForm,
)
from evidence.models import RequirementControl
from evidence.requirements.burden import burden_now
from evidence.requirements.changes import (
    add_requirement,
    change_requirement,
)
from evidence.requirements.from_templates import ask_for_all, proposed
from evidence.requirements.retiring import retire_requirement
from evidence.requirements.terms import next_stated, terms_history
from evidence.status.control_status import today_of
from evidence.submissions.who_may import submits_in
from evidence.views.access import (
    implementation_or_404,
    require_officer_page,
    system_or_404,
)
from evidence.views.answers import explain, refused, say_it_waits, status_of_form
from evidence.views.once import once
from srm_project.requests import SignedInRequest

PER_PAGE = 100
SAVED = "Saved: it is asked as it stands below."
UNCHANGED = "Nothing was changed: it is asked like this already."
REPLACED = (
    " Other terms had been stated from {} on. These hold in their place: state those"
    " again if they are still meant."
)
OUTDATED = (
    " A change of it that waits for a second officer was asked for before this: it can"
    " only be refused now, and asked for again."
)
WAITS = (
    "Nothing is changed yet: a second officer has to decide on it. It waits among the"
    " changes in retrospect."
)


@require_GET
def requirements(request: SignedInRequest, slug: str) -> HttpResponse:
    """What is asked of whom, how often?"""
    system = system_or_404(request, slug)
    requirements_asked = RequirementControl.objects.filter(system=system).for_listing()
    narrowed = RequirementFilter(request.GET, teams=requirements_asked.team_names())
    page = Paginator(requirements_asked.matching(**narrowed.filters()), PER_PAGE)
    officer = is_officer(request.user, system)
    context = {
        "system": system,
        "filter": narrowed,
        "page": page.get_page(request.GET.get("page")),
        "officer": officer,
        "may_bring": submits_in(system, by=request.user),
        "today": today_of(system),
        "burden": burden_now(system, today_of(system)),
    }
    return render(request, "evidence/requirements/list.html", context)


@require_http_methods(["GET", "POST"])
@once
def templates(request: SignedInRequest, slug: str) -> HttpResponse:
    """Every half that nothing is asked of: see what the templates ask, then ask it."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    today = today_of(system)
    if request.method == "POST":
        added = ask_for_all(system, by=request.user, since=today)
        number = count_of(added, "requirement", "is")
        messages.success(
            request, f"{number} asked from {today} on. Next, see below who is asked."
        )
        return redirect("evidence:requirements", slug)
    context = {"system": system, "proposed": proposed(system, since=today)}
    return render(request, "evidence/requirements/templates.html", context)


@require_http_methods(["GET", "POST"])
@once
def requirement_new(request: SignedInRequest, slug: str, ref_id: str) -> HttpResponse:
    """Ask one more thing of our half of a control."""
    implementation = implementation_or_404(request, slug, ref_id)
    require_officer_page(request.user, implementation.system)
    first = {
        "operates_from": today_of(implementation.system),
        "user_control": request.GET.get("user_control"),
    }
    form = NewRequirementForm(
        request.POST or None,
        initial=first,
        implementation=implementation,
        user=request.user,
    )
    context = {"implementation": implementation, "form": form}

    def add() -> str:
        added = add_requirement(
            implementation,
            form.terms(),
            by=request.user,
            user_control=form.cleaned_data.get("user_control"),
        )
        return f"Added: “{added.title}” is asked from {added.operates_from} on."

    return _saved(request, form, add, slug, context)


@require_http_methods(["GET", "POST"])
def requirement_edit(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Change what is asked."""
    stored = _requirement(request, slug, uuid)
    require_officer_page(request.user, stored.system)
    today = stored.system.day_of(clock.now())
    form = ChangeForm.about(stored, today)
    if request.method == "POST":
        form = ChangeForm(request.POST)
    retire_form = RetireForm(initial={"until": today})
    context = _context(stored, form, retire_form)

    def change() -> RetrospectiveChange | str:
        from_day = form.cleaned_data["from_day"] or today
        stated = next_stated(stored.ask, from_day)
        waits = change_requirement(
            stored,
            form.terms(),
            version=form.cleaned_data["version"] or 0,
            by=request.user,
            today=today,
            from_day=from_day,
            reason=form.cleaned_data["reason"],
        )
        return waits or sentence_of_change(stored, from_day, stated)

    return _saved(request, form, change, slug, context)


@require_http_methods(["POST"])
def requirement_retire(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Stop asking from a day on."""
    stored = _requirement(request, slug, uuid)
    require_officer_page(request.user, stored.system)
    form = RetireForm(request.POST)
    today = stored.system.day_of(clock.now())
    context = _context(stored, ChangeForm.about(stored, today), form)

    def retire() -> RetrospectiveChange | str:
        waits = retire_requirement(
            stored, by=request.user, today=today, **form.cleaned_data
        )
        until = form.cleaned_data["until"]
        return waits or f"Retired: “{stored.title}” is no longer asked from {until} on."

    return _saved(request, form, retire, slug, context)


def sentence_of_change(
    stored: RequirementControl, from_day: dt.date, stated: dt.date | None
) -> str:
    """What became of a row that one officer changed from a day on; `stated` is the
    first later day for which it had other terms before. The row is as it was read."""
    if RequirementControl.objects.get(pk=stored.pk).version == stored.version:
        return UNCHANGED
    sentence = SAVED
    if stated and next_stated(stored.ask, from_day) != stated:
        sentence += REPLACED.format(stated)
    waiting = stored.system.retrospective_changes.waiting()
    if waiting.filter(body__requirement=str(stored.uuid)).exists():
        sentence += OUTDATED
    return sentence


def _context(
    stored: RequirementControl, form: ChangeForm, retire_form: RetireForm
) -> dict[str, Any]:
    """What the page of one requirement shows."""
    return {
        "implementation": stored.implementation,
        "requirement": stored,
        "form": form,
        "retire_form": retire_form,
        "terms_history": terms_history([stored]).get(str(stored.uuid), []),
    }


def _requirement(request: SignedInRequest, slug: str, uuid: Any) -> RequirementControl:
    mine = RequirementControl.objects.visible_to(request.user).for_listing()
    return get_object_or_404(mine, system__slug=slug, uuid=uuid)


def _saved(
    request: SignedInRequest,
    form: Any,
    act: Callable[[], RetrospectiveChange | str],
    slug: str,
    context: dict[str, Any],
) -> HttpResponse:
    """Do it, or ask a second officer to, and go back to the list; otherwise the form
    with what is wrong. `act` returns what waits, or the sentence that says what was
    done."""
    status = 200
    if form.is_bound:
        status = 422
        if form.is_valid():
            try:
                done = act()
            except ValidationError as refusal:
                if isinstance(refusal, NotPermitted):
                    return refused(request, refusal)
                status = status_of_form(refusal)
                explain(form, refusal)
            else:
                if isinstance(done, RetrospectiveChange):
                    say_it_waits(request, context["implementation"].system, WAITS)
                else:
                    messages.success(request, done)
                return redirect("evidence:requirements", slug)
    return render(request, "evidence/requirements/form.html", context, status=status)
