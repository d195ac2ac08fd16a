"""The pages of one system, as tabs that say where one is."""

from __future__ import annotations

from typing import Any

from django import template
from django.urls import reverse

from controls.models import System

register = template.Library()
TABS = (
    ("Overview", "evidence:dashboard"),
    ("Controls", "evidence:controls"),
    ("Responsibilities", "evidence:matrix"),
    ("Components", "evidence:components"),
    ("Requirements", "evidence:requirements"),
    ("Findings", "evidence:findings"),
    ("Responses", "evidence:responses"),
    ("Calendar", "evidence:calendar"),
    ("Regime's numbers", "evidence:numbers"),
    ("Provider's documents", "evidence:provider"),
    ("People", "evidence:people"),
)
WITH_CLOCKS = frozenset(
    {
        "Overview",
        "Controls",
        "Responsibilities",
        "Findings",
        "Responses",
        "Regime's numbers",
    }
)  # pages about any day


@register.inclusion_tag("evidence/systems/partials/tabs.html", takes_context=True)
def system_tabs(context: dict[str, Any], system: System) -> dict[str, Any]:
    """Links to the pages of a system, and to its requests and exports elsewhere.

    The tab whose address the page's begins with is current; asks the database nothing.
    """
    here = context["request"].path
    addresses = [(name, reverse(route, args=[system.slug])) for name, route in TABS]
    within = [url for _, url in addresses[1:] if here.startswith(url)]
    current = within[0] if within else here  # the overview's address begins them all
    clocks = context.get("clocks")
    query = f"?{clocks.query}" if clocks and clocks.query else ""
    return {
        "here": next((name for name, url in addresses if url == current), ""),
        "tabs": [
            (name, url, url == current, query if name in WITH_CLOCKS else "")
            for name, url in addresses
        ],
        "system": system,
    }
