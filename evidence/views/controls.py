"""The controls of a system: which are how far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from django_htmx.middleware import HtmxDetails

from controls.control_ids import matches
from evidence.forms.clocks import clocks_of
from evidence.forms.controls import ControlFilter
from evidence.status.clocks import Clocks
from evidence.status.control_status import ControlStatus, control_statuses, listed
from evidence.views.access import system_or_404
from srm_project.requests import SignedInRequest

PER_PAGE = 100
Row = Mapping[str, Any]


class HtmxRequest(SignedInRequest):
    """A request as django-htmx leaves it."""

    htmx: HtmxDetails


@require_GET
def controls(request: HtmxRequest, slug: str) -> HttpResponse:
    """Which controls are how far, and why?"""
    system = system_or_404(request, slug)
    clocks = clocks_of(request, system)
    rows = listed(system, clocks.moment)
    chosen = ControlFilter(request.GET, rows=rows)
    filters = chosen.filters()
    page = _page(
        request, clocks, [row for row in rows if _matches(row, filters)], filters
    )
    context = {
        "system": system,
        "clocks": clocks,
        "here": request.path,
        "filter": chosen,
        "page": page,
        "total": len(rows),
    }
    name = "evidence/controls/list.html"
    if request.htmx and not request.htmx.history_restore_request:
        name = "evidence/controls/partials/control_rows.html"
    return render(request, name, context)


def _page(
    request: SignedInRequest, clocks: Clocks, rows: list[Row], filters: dict[str, str]
) -> Page[Any]:
    """One page of answers; all are judged only where the verdict is asked for."""
    number = request.GET.get("page")
    shown_rows: list[Any] = rows
    if verdict := filters.get("verdict"):
        shown_rows = [a for a in _judged(clocks, rows) if a.status.verdict == verdict]
        return Paginator(shown_rows, PER_PAGE).get_page(number)
    page = Paginator(shown_rows, PER_PAGE).get_page(number)
    page.object_list = _judged(clocks, list(page.object_list))
    return page


def _judged(clocks: Clocks, rows: list[Row]) -> list[ControlStatus]:
    try:
        return control_statuses(clocks.system, clocks.moment, known=rows)
    except LookupError:  # the system was not recorded by then, nor its controls
        return []


def _matches(row: Row, filters: dict[str, str]) -> bool:
    has = {
        "family": row["family"],
        "responsibility": row["responsibility"] or "unclassified",
        "team": row["owner"] or "",
    }
    if any(filters.get(name) and filters[name] != value for name, value in has.items()):
        return False
    text = filters.get("q", "")
    return not text or matches(
        text, ref_id=row["ref_id"], label=row["label"], title=row["title"]
    )
