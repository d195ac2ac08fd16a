"""The controls of a system: which are how far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django_htmx.middleware import HtmxDetails

from controls.models import ControlImplementation, System
from evidence.engagements.after_closing import later_of_controls
from evidence.engagements.scope import audits_of_reader
from evidence.forms.clocks import clocks_of
from evidence.forms.controls import ControlFilter
from evidence.forms.saved_filters import SavedFilterForm
from evidence.models import SavedFilter
from evidence.requests.who_may import engagement_of
from evidence.status.clocks import Clocks
from evidence.status.control_filter import in_list_order, judged
from evidence.status.control_status import ControlStatus, named
from evidence.submissions.who_may import submits_in
from evidence.views.access import opened_system_or_404
from evidence.views.list_place import list_query
from srm_project.requests import SignedInRequest

PER_PAGE = 100
# Acts on all controls of the list, or those ticked, with the words of their buttons.
OF_MANY = {
    "owner": "Assign an owner",
    "status": "State implementation",
    "cadence": "Change how often",
    "request": "Request evidence",
    "not-applicable": "Mark as not applicable",
}
Row = Mapping[str, Any]


class HtmxRequest(SignedInRequest):
    """A request as django-htmx leaves it."""

    htmx: HtmxDetails


@require_GET
def controls(request: HtmxRequest, slug: str) -> HttpResponse:
    """Which controls are how far, and why?"""
    opened = opened_system_or_404(request, slug)
    system = opened.system
    clocks = clocks_of(request, system)
    rows = named(system, clocks.moment)
    chosen = ControlFilter(request.GET, rows=rows)
    filters = chosen.filters()
    page = _page(request, clocks, rows, filters)
    officer = clocks.now and opened.is_officer
    acts = _acts(request, clocks, officer=officer)
    context = {
        "system": system,
        "clocks": clocks,
        "here": request.path,
        "filter": chosen,
        "page": page,
        "kept_filters": filters,
        "list_query": list_query(filters, clocks),
        "total": len(rows),
        "later": later_of_controls(
            system, clocks.moment, clocks.window, reader=request.user
        )
        if opened.has_closed_windows
        else {},
        "own_audits": audits_of_reader(system, reader=request.user)
        if opened.is_audited_by_reader
        else [],
        "may_bring": officer or (clocks.now and submits_in(system, by=request.user)),
        "acts": acts,
        "saved_filters": SavedFilter.objects.visible_to(request.user).filter(
            system=system
        ),
        "filter_form": SavedFilterForm(auto_id="saved_%s") if filters else None,
    }
    name = "evidence/controls/list.html"
    if request.htmx and not request.htmx.history_restore_request:
        name = "evidence/controls/partials/control_rows.html"
    return render(request, name, context)


def _acts(
    request: SignedInRequest, clocks: Clocks, *, officer: bool
) -> list[tuple[str, str]]:
    """What the person may do of many controls, with the words of its button; of the
    past nothing."""
    if not clocks.now:
        return []
    if officer:
        return list(OF_MANY.items())
    allowed = {
        "status": _describes_some(request, clocks.system),
        "request": engagement_of(clocks.system, request.user) is not None,
    }
    return [(name, words) for name, words in OF_MANY.items() if allowed.get(name)]


def _page(
    request: SignedInRequest, clocks: Clocks, rows: list[Row], filters: dict[str, str]
) -> Page[Any]:
    """One page of answers; all are judged only where the verdict is asked for."""
    ordered = in_list_order(clocks.system, clocks.moment, rows, filters, clocks.window)
    page: Page[Any] = Paginator(ordered, PER_PAGE).get_page(request.GET.get("page"))
    shown_rows: list[Any] = list(page.object_list)
    if not any(isinstance(row, ControlStatus) for row in shown_rows):
        shown_rows = judged(clocks.system, clocks.moment, shown_rows)
    page.object_list = shown_rows
    return page


def _describes_some(request: SignedInRequest, system: System) -> bool:
    mine = ControlImplementation.objects.describable_by(request.user)
    return bool(mine.filter(system=system).exists())
