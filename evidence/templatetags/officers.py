"""Whether somebody is there to decide on what an officer is about to ask for."""

from __future__ import annotations

from typing import Any

from django import template

from controls.models import Membership, System

register = template.Library()


@register.inclusion_tag("evidence/partials/second_officer.html", takes_context=True)
def second_officer(context: dict[str, Any], system: System) -> dict[str, Any]:
    """A sentence where nobody but the reader could approve; one statement a page."""
    request = context["request"]
    alone_in: dict[int, bool] = request.__dict__.setdefault("alone_in", {})
    if system.pk not in alone_in:
        others = Membership.objects.of_other_officers(system, request.user)
        alone_in[system.pk] = not others.exists()
    return {"system": system, "alone": alone_in[system.pk]}
