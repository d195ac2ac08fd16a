"""What a chart shows, in words for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from evidence.charts import Segment, Stretch
from evidence.status.occurrences import Lane

register = template.Library()


@register.filter
def segments_text(segments: Iterable[Segment]) -> str:
    """`12 proven, 3 partly proven`: a bar in words."""
    return ", ".join(f"{segment.count} {segment.title.lower()}" for segment in segments)


@register.filter
def stretches_text(stretches: Iterable[Stretch]) -> str:
    """`audited 2026-01-01 to 2026-03-31`: a timeline in words; empty of none."""
    return ", ".join(
        f"{stretch.title.lower()} {stretch.start:%Y-%m-%d} to {stretch.end:%Y-%m-%d}"
        for stretch in stretches
    )


@register.filter
def lanes_text(rows: Iterable[Lane]) -> str:
    """Each row's requirement with its occurrences counted."""
    return " ".join(f"{row.title}: {row.summary}." for row in rows)
