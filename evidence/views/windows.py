"""How many controls are complete over their windows: of one system, and of mine."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from controls import clock
from controls.access import is_officer
from evidence.forms.clocks import clocks_of
from evidence.status.window_counts import window_counts, windows_of_systems
from evidence.views.access import system_or_404
from evidence.views.controls import HtmxRequest
from evidence.views.systems import systems_page


@require_GET
def windows(request: HtmxRequest) -> HttpResponse:
    """Results over each system's own window; a page, or a part of the list.

    Of the systems of one page of the list.
    """
    page = systems_page(request)
    rows = windows_of_systems(list(page.object_list), clock.now())
    return _shown(request, "windows", {"rows": rows, "page": page})


@require_GET
def window(request: HtmxRequest, slug: str) -> HttpResponse:
    """Results over the window asked about; a page, or a part of the dashboard."""
    system = system_or_404(request, slug)
    clocks = clocks_of(request, system)
    try:
        counts = window_counts(system, clocks.moment, clocks.window)
    except LookupError:  # the system was not recorded by then
        counts = None
    page = {
        "system": system,
        "clocks": clocks,
        "here": request.path,
        "counts": counts,
        "officer": is_officer(request.user, system),
    }
    return _shown(request, "window", page)


def _shown(request: HtmxRequest, name: str, page: dict[str, object]) -> HttpResponse:
    part = request.htmx and not request.htmx.history_restore_request
    template = f"partials/{name}.html" if part else f"{name}.html"
    return render(request, f"evidence/systems/{template}", page)
