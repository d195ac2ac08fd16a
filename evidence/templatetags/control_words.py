"""A control as pages name it, and its official text with each parameter marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from controls.control_ids import label_of
from controls.control_words import PartWords, WordsRun
from controls.responsibility.part_classes import PartClass

register = template.Library()


@register.filter
def control_label(ref_id: str) -> str:
    """A control as documents name it: `AC-2(1)` of `ac-2.1`."""
    return label_of(ref_id)


@register.filter
def control_labels(ref_ids: Iterable[str]) -> str:
    """Several of them: `AC-2(1), AC-3`."""
    return ", ".join(map(label_of, ref_ids))


@register.filter
def with_parameters(part: PartWords) -> SafeString:
    """The words of a part; what a parameter stands for is marked."""
    return format_html_join("", "{}", ((_marked(run),) for run in part.runs))


@register.simple_tag
def class_of_part(
    classes: Mapping[str, PartClass] | None, statement_id: str
) -> PartClass | None:
    """Who answers for a part, where the parts of its control differ."""
    return (classes or {}).get(statement_id)


def _marked(run: WordsRun) -> SafeString | str:
    if not run.kind:
        return run.text
    return format_html(
        '<span class="parameter parameter-{}">{}</span>', run.kind, run.text
    )
