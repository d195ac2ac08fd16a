"""What a file can do by itself, in words."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from evidence.checking import FLAGS

register = template.Library()


@register.filter
def flagged(flags: Iterable[str]) -> str:
    """Flags of a file as one phrase."""
    return " and ".join(FLAGS.get(flag, flag) for flag in flags)
