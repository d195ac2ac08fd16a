"""How did proof go over the last twelve months?"""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from evidence.status.control_status import today_of
from evidence.status.trend import trend
from evidence.views.access import system_or_404
from evidence.views.controls import HtmxRequest


@require_GET
def system_trend(request: HtmxRequest, slug: str) -> HttpResponse:
    """Verdicts at each month end as known then; a page, or a part of the dashboard."""
    system = system_or_404(request, slug)
    page = "evidence/systems/trend.html"
    if request.htmx and not request.htmx.history_restore_request:
        page = "evidence/systems/partials/trend.html"
    points = trend(system, today_of(system))
    return render(request, page, {"system": system, "points": points})
