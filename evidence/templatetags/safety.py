"""What a file can do by itself, in words."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from evidence.files.previews import kind_of
from evidence.models.files import FileFlag

register = template.Library()


@register.filter
def flagged(flags: Iterable[str]) -> str:
    """Flags of a file as one phrase."""
    return " and ".join(FileFlag(flag).label for flag in flags)


@register.filter
def drawable(media_type: str) -> bool:
    """Whether files of a media type are shown in the browser."""
    return bool(kind_of(media_type))
