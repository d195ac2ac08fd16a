"""Display names instead of codes, and numbers with the right form of a word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from django import template
from django.forms import BoundField
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timesince import timesince

from controls import grammar
from controls.display_names import layer_name
from controls.reasons import MAX_REASON
from controls.service_names import component_name
from evidence.findings.item_answers import extent_of
from evidence.models import ItemResponse
from evidence.models.asks import Cadence
from evidence.reviews.reconfirm import ReconfirmationMark
from evidence.status import window_words
from evidence.status.not_gathered import NOT_GATHERED
from evidence.status.occurrence_results import OccurrenceResult, Occurrences
from evidence.status.reasons import Reason
from evidence.status.rules import RULE_OF_REASON, anchor_of
from evidence.status.window import Period

register = template.Library()
Names = Mapping[str, str]


@register.simple_tag
def why(reason: Reason) -> str:
    """A link to the section of the rule that gives this reason; nothing without one."""
    return _why(reason.code)


@cache
def _why(code: str) -> str:
    anchor = anchor_of(code)
    if not anchor:
        return ""
    return format_html(
        '<a class="why" href="{}#{}" title="Rule {}: how a verdict is reached">Why?'
        '<span class="visually-hidden"> Rule {}</span></a>',
        reverse("evidence:verdict_help"),
        anchor,
        RULE_OF_REASON[code],
        RULE_OF_REASON[code],
    )


@register.simple_tag
def not_taken_into_account() -> str:
    """What no verdict rests on, since nothing records it yet (R33)."""
    return "; ".join(fact.source for fact in NOT_GATHERED)


@register.filter
def invite_words(role: str) -> str:
    """What the button says that invites to a role: `Invite an officer`."""
    word = "officer" if role == "officer" else role
    article = "an" if word[0] in "aeiou" else "a"
    return f"Invite {article} {word}"


@register.simple_tag
def max_reason() -> int:
    """How many characters a reason may have."""
    return MAX_REASON


@register.filter
def written_about(response: ItemResponse) -> str:
    """What a response answers: `2 deviations, 2026-01-01 to 2026-03-31`."""
    return f"{extent_of(response).words}, {response.starts} to {response.ends}"


@register.filter
def count_of(number: int | None, noun: str) -> str:
    """`1 control`, `2 controls`; nothing counts as 0."""
    return grammar.count_of(number or 0, noun)


@register.filter
def verb_for(number: int | None, verb: str) -> str:
    """The verb, given as after one, as it follows a number: `waits`, `wait`."""
    return grammar.verb_for(number or 0, verb)


@register.filter
def size(size_bytes: int) -> str:
    """Bytes as people read them: `412 kB`, `500 MB`."""
    return grammar.size_in_words(size_bytes)


@register.filter
def in_words(day: dt.date) -> str:
    """A day as sentences write it: `30 June 2026`."""
    return grammar.day_in_words(day)


@register.filter
def anchor(field: BoundField) -> str:
    """The id of what to fill in: of choices, the first of them."""
    return str(field.id_for_label or f"{field.auto_id}_0")


@register.filter
def day_before(day: dt.date) -> dt.date:
    """The last day of a range whose end is given as the first day after it."""
    return day - dt.timedelta(days=1)


@register.filter
def at(values: Mapping[Any, Any], key: Any) -> Any:
    """The value of a mapping at a key; None where it has none."""
    return values.get(key)


@register.filter
def after(value: Any, text: str) -> str:
    """The value after a text, where there is a value: `, decided by Olivia`."""
    return f"{text}{value}" if value else ""


@register.filter
def named(slug: str, names: Names) -> str:
    """A service by its name."""
    return component_name(names, slug)


@register.filter
def each_named(slugs: Iterable[str], names: Names) -> list[str]:
    """Services by their names, in the order of these."""
    return sorted(component_name(names, slug) for slug in slugs)


@register.filter
def component(row: Any, names: Names) -> str:
    """What a row of a basis says runs a layer: the variant of a service by its name."""
    return component_name(names, row.component, row.variant)


@register.filter
def sentence(reason: Reason, names: Names) -> str:
    """A reason in words, services by their names."""
    return reason.sentence_with(names)


@register.filter
def notes(result: OccurrenceResult) -> tuple[str, ...]:
    """What stands beside the outcome of an occurrence."""
    return window_words.notes_of(result)


@register.filter
def counts_text(ours: Occurrences) -> str:
    """The outcomes of a window counted, in words."""
    return window_words.counts_of(ours)


@register.filter
def uncounted_text(ours: Occurrences) -> str:
    """What stands beside the counts of a window; empty for nothing."""
    return window_words.uncounted_of(ours)


@register.filter
def event_days_text(ours: Occurrences) -> str:
    """The days asked per event counted; empty where none is."""
    return window_words.event_days_of(ours)


@register.filter
def unasked_text(period: Period) -> str:
    """On how many days nothing was asked; empty for none."""
    return window_words.unasked_of(period)


@register.filter
def duties_changed(mark: ReconfirmationMark, names: Names) -> str:
    """Which duties of ours came and went, services by their names."""
    return mark.words_with(names)


@register.filter
def duties_text(rows: Iterable[Any], names: Names) -> str:
    """Rows of a basis as `Guest operating system of Amazon EC2`, with commas."""
    return ", ".join(
        f"{layer_name(row.layer)} of {component_name(names, row.component)}"
        for row in rows
    )


@register.filter
def cadence(code: str) -> str:
    """How often a requirement is performed: `Per event`."""
    return str(Cadence(code).label)


@register.filter
def roughly_since(instant: dt.datetime) -> str:
    """How long ago, in its largest unit: `3 weeks`, `18 hours`."""
    return timesince(instant, depth=1)
