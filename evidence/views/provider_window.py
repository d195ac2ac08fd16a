"""What providers leave open over the audit window, to print for them."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from controls.service_names import display_names
from evidence.forms.clocks import clocks_of
from evidence.status.clocks import Clocks
from evidence.status.control_page import COVERAGE, Timeline, timeline_of
from evidence.status.provider_window import (
    ProviderWindow,
    ServiceWindow,
    provider_windows,
)
from evidence.views.access import system_or_404
from srm_project.requests import SignedInRequest


@require_GET
def provider_window(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which days does no report and no letter cover, for which services, of whom?

    `provider` (a slug) shows one provider alone, as the page is sent to it.
    """
    system = system_or_404(request, slug)
    clocks = clocks_of(request, system)
    try:
        providers = provider_windows(system, clocks.moment, clocks.window)
    except LookupError:  # the system was not recorded by then
        providers = []
    chosen = request.GET.get("provider", "")
    if chosen:
        shown = [provider for provider in providers if provider.slug == chosen]
        if not shown:
            raise Http404("Nothing is needed from this provider in the window.")
        providers = shown
    names = display_names()
    context = {
        "system": system,
        "clocks": clocks,
        "here": request.path,
        "kept_filters": {"provider": chosen} if chosen else {},
        "chosen": chosen,
        "names": names,
        "ended": clocks.window[1] < clocks.moment.on,
        "providers": [
            {
                "of": provider,
                "open": _with_timelines(provider, clocks, names, is_open=True),
                "covered": _with_timelines(provider, clocks, names, is_open=False),
            }
            for provider in providers
        ],
    }
    return render(request, "evidence/provider_window/page.html", context)


def _with_timelines(
    provider: ProviderWindow, clocks: Clocks, names: Any, *, is_open: bool
) -> list[tuple[ServiceWindow, Timeline]]:
    """Its services with, or without, a day that is open by the window's end."""
    return [
        (service, _timeline(service, clocks, names))
        for service in provider.services
        if bool(service.to_end.open_days) == is_open
    ]


def _timeline(service: ServiceWindow, clocks: Clocks, names: Any) -> Timeline:
    """Its days to the window's end, as if nothing new came."""
    name = names.get(service.need.slug, service.need.slug)
    ranges = [
        (code, title, first, last)
        for code, title in COVERAGE.items()
        for first, last in getattr(service.to_end, f"{code}_ranges")
    ]
    return timeline_of(f"Days of {name}", ranges, clocks)
