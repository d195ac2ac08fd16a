"""Links that many pages have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from controls.models import Control, System

register = template.Library()


@register.simple_tag(takes_context=True)
def control_link(
    context: Mapping[str, Any], system: System, control: Control, text: str = ""
) -> SafeString:
    """A control of a system by its label, or by another text, as a link to its page,
    about the day and the window that this page is about."""
    return _link(context, system, control.ref_id, text or control.label)


@register.simple_tag(takes_context=True)
def control_links(
    context: Mapping[str, Any], system: System, rows: Iterable[Any]
) -> SafeString:
    """Controls as links with commas.

    A row is a model that has a control, or a mapping with `ref_id` and `label`.
    """
    links = ([_row_link(context, system, row)] for row in rows)
    return format_html_join(", ", "{}", links)


def _row_link(context: Mapping[str, Any], system: System, row: Any) -> SafeString:
    if isinstance(row, Mapping):
        return _link(context, system, row["ref_id"], row["label"])
    return _link(context, system, row.control.ref_id, row.control.label)


def _link(
    context: Mapping[str, Any], system: System, ref_id: str, text: str
) -> SafeString:
    url = reverse("evidence:control", args=[system.slug, ref_id])
    query = at_this_moment(context, system)
    return format_html('<a href="{}{}">{}</a>', url, query, text)


@register.simple_tag(takes_context=True, name="at_this_moment")
def at_this_moment(context: Mapping[str, Any], system: System) -> SafeString:
    """“?” and the parameters of the day and window that this page is about; empty for
    today, and for a system that the page is not about."""
    clocks = context.get("clocks")
    if not clocks or clocks.system != system or not clocks.query:
        return SafeString("")
    return format_html("?{}", clocks.query)


@register.simple_tag(takes_context=True)
def controls_url(context: dict[str, Any], system: System, **filters: str) -> str:
    """The list of a system's controls narrowed down, at the moment of this page."""
    url = reverse("evidence:controls", args=[system.slug])
    clocks = context.get("clocks")
    parts = [f"{name}={value}" for name, value in filters.items()]
    if clocks and clocks.query:
        parts.append(clocks.query)
    return f"{url}?{'&'.join(parts)}" if parts else url


@register.filter
def in_system(label: str, system: System) -> str:
    """`AC-2 in Payments platform`."""
    return f"{label} in {system.name}"
