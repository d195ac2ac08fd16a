"""Who answers for what: each control beside each service, and each team's duties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from controls.models import Role
from controls.service_names import display_names
from evidence.forms.clocks import clocks_of
from evidence.forms.matrix import AcknowledgeForm, MatrixFilter
from evidence.status.clocks import Clocks
from evidence.status.control_filter import matching_rows
from evidence.status.control_status import listed
from evidence.systems.acknowledgements import (
    Duties,
    acknowledge,
    duties_by_owner,
    in_words,
    teams_with_duties,
)
from evidence.systems.matrix import (
    grouped_rows,
    of_rows,
    services_of,
    with_reports,
)
from evidence.systems.matrix_rows import MatrixControl, Names
from evidence.views.access import system_or_404
from evidence.views.answers import answer_with
from evidence.views.list_place import list_query
from evidence.views.once import once
from srm_project.requests import SignedInRequest

PER_PAGE = 25  # controls


@require_GET
def matrix(request: SignedInRequest, slug: str) -> HttpResponse:
    """Who does what about each control, by which service, and what proves it?"""
    system = system_or_404(request, slug)
    clocks = clocks_of(request, system)
    names = display_names()
    rows = listed(system, clocks.moment)
    everything = of_rows(rows, clocks.moment, {})
    chosen = MatrixFilter(
        request.GET, rows=rows, services=services_of(everything, names)
    )
    filters = chosen.filters()
    matching = everything
    if filters:
        narrowed = matching_rows(rows, filters)
        matching = of_rows(narrowed, clocks.moment, filters)
    by_owner = duties_by_owner(everything)
    context = {
        "system": system,
        "clocks": clocks,
        "here": request.path,
        "filter": chosen,
        "page": _page(request, clocks, matching, names),
        "total": len(rows),
        "kept_filters": filters,
        "list_query": list_query({}, clocks),
        "teams": _teams(request, clocks, by_owner, names),
        "unowned": len(by_owner.get("", {})),
    }
    return render(request, "evidence/matrix/page.html", context)


def _page(
    request: SignedInRequest,
    clocks: Clocks,
    controls: Sequence[MatrixControl],
    names: Names,
) -> Page[Any]:
    """One page of controls, each with its groups of services, and of its parts."""
    page: Page[Any] = Paginator(controls, PER_PAGE).get_page(request.GET.get("page"))
    try:
        shown = with_reports(clocks.system, clocks.moment, list(page.object_list))
    except LookupError:  # the system was not recorded by then
        shown = []
    page.object_list = [
        (
            control,
            grouped_rows(control, names),
            [(part, grouped_rows(part, names)) for part in control.parts],
        )
        for control in shown
    ]
    return page


def _teams(
    request: SignedInRequest,
    clocks: Clocks,
    by_owner: Mapping[str, Duties],
    names: Names,
) -> list[dict[str, Any]]:
    """Teams with their duties, what has changed since they were acknowledged, and
    whether the person may acknowledge them; none of a day gone by."""
    if not clocks.now:
        return []
    system = clocks.system
    mine = request.user.memberships.active().filter(system=system)
    teams = set(mine.filter(role=Role.CONTRIBUTOR).values_list("team", flat=True))
    return [
        {
            "of_team": of_team,
            "may": of_team.team.pk in teams and of_team.state != "acknowledged",
            "added": in_words(of_team.added, names) if of_team.latest else [],
            "dropped": in_words(of_team.dropped, names) if of_team.latest else [],
        }
        for of_team in teams_with_duties(system, by_owner)
    ]


@require_POST
@once
def duties_acknowledge(request: SignedInRequest, slug: str) -> HttpResponse:
    """A contributor says that their team has read the duties that the page showed."""
    system = system_or_404(request, slug)
    back = redirect("evidence:matrix", system.slug)
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        return answer_with(request, ValidationError(form.errors.as_data()), back)
    team = form.cleaned_data["team"]
    try:
        acknowledge(system, team, form.cleaned_data["duties"], by=request.user)
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    messages.success(request, f"{team.name} has acknowledged its duties.")
    return back
