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


@register.simple_tag
def control_link(system: System, control: Control, text: str = "") -> SafeString:
    """A control of a system by its label, or by another text, as a link to its page."""
    return _link(system, control.ref_id, text or control.label)


@register.simple_tag
def control_links(system: System, rows: Iterable[Any]) -> SafeString:
    """Controls as links with commas.

    A row is a model that has a control, or a mapping with `ref_id` and `label`.
    """
    return format_html_join(", ", "{}", ([_row_link(system, row)] for row in rows))


def _row_link(system: System, row: Any) -> SafeString:
    if isinstance(row, Mapping):
        return _link(system, row["ref_id"], row["label"])
    return control_link(system, row.control)


def _link(system: System, ref_id: str, text: str) -> SafeString:
    url = reverse("evidence:control", args=[system.slug, ref_id])
    return format_html('<a href="{}">{}</a>', url, text)


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
