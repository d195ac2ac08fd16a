"""The word of a state, with its colour and shape: one look on every page."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from controls.display_names import layer_name
from controls.event_words import verb_in_words

register = template.Library()
SPOKEN = {"none": "no such layer"}


@register.simple_tag(name="state")
@lru_cache(maxsize=256)
def state_word(code: str | None) -> SafeString:
    """A badge for a verdict, half, class, outcome or link state by its code."""
    code = str(code or "")
    words = SPOKEN.get(code, code.replace("_", " "))
    return format_html('<span class="state state-{}">{}</span>', code, words)


@register.filter
def verb(code: str) -> str:
    """An event of the audit log in words: `Responsibility decided`."""
    return verb_in_words(code)


@register.filter
def layers_named(codes: Iterable[str]) -> str:
    """`Facilities, hardware`: the layers by their names."""
    return ", ".join(layer_name(code).lower() for code in codes)


@register.filter
def layer(code: str) -> str:
    """A layer by its name, with what follows its comma: `Identity, provided`."""
    name, comma, rest = code.partition(",")
    return f"{layer_name(name)}{comma}{rest}"
