"""The rows of the list of controls, written in one go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from evidence.engagements.scope import NamedScope
from evidence.status.control_status import ControlStatus
from evidence.templatetags.states import state_word
from evidence.templatetags.words import why

register = template.Library()
# Where a class comes from, if not from our readings.
SOURCES = {
    "override": "override",
    "override-expired": "override expired",
    "provider-document": "provider's document",
}
NOTHING = mark_safe("")
ROW = """
<tr role="row">
<th scope="row" role="rowheader" class="nowrap">{tick}<a href="{link}">{label}</a></th>
<td role="cell">{title}{tags}</td>
{numbers}<td role="cell" data-label="Class:">{responsibility}{source}</td>
<td role="cell" data-label="AWS's half:">{aws_half}</td>
<td role="cell" data-label="Our half:">{our_half}</td>
<td role="cell" data-label="Verdict:">{verdict}</td>
<td role="cell">{reason}{why}</td>
<td role="cell" data-label="Owner:">{owner}</td>
</tr>"""
NUMBERS = '<td role="cell" data-label="Regime\'s number:">{}</td>\n'
TICK = (
    '<input type="checkbox" form="act-on-many" name="ticked" value="{}"'
    ' aria-label="Choose {}"> '
)


@register.simple_tag
def control_rows(
    answers: Iterable[ControlStatus],
    place: str,
    query: str,
    names: Mapping[str, str],
    *,
    ticked: bool,
    numbered: bool,
    later: Mapping[Any, Any] | None = None,
    audits: Iterable[NamedScope] = (),
) -> SafeString:
    """A table row for each control; links lead below `place` and keep `query`.

    `names` are those of services; with `ticked` each has a box to tick, with `numbered`
    a cell for the regime's numbers. `later` are changes after closing by the keys of
    controls, `audits` the reader's audits. A template takes three
    times as long for the hundred rows of a page, which was most of the page.
    """
    query = f"?{query}" if query else ""
    return format_html_join(
        "",
        "{}",
        (
            (_row(a, place, query, names, ticked, numbered, _tags(a, later, audits)),)
            for a in answers
        ),
    )


def _tags(
    answer: ControlStatus,
    later: Mapping[Any, Any] | None,
    audits: Iterable[NamedScope],
) -> SafeString:
    """That something became otherwise after closing, that an audit is not about it."""
    row, words = answer.implementation, []
    if later and row["id"] in later:
        words.append("after closing")
    if any(row["ref_id"] not in audit.scope for audit in audits):
        words.append("out of scope")
    return format_html_join("", ' <span class="tag">{}</span>', ((w,) for w in words))


def _row(
    answer: ControlStatus,
    place: str,
    query: str,
    names: Mapping[str, str],
    ticked: bool,
    numbered: bool,
    tags: SafeString,
) -> SafeString:
    row, status = answer.implementation, answer.status
    reason = status.reasons[0] if status.reasons else None
    source = SOURCES.get(row["source"])
    numbers = ", ".join(row["regime_numbers"])
    return format_html(
        ROW,
        tick=format_html(TICK, row["ref_id"], row["label"]) if ticked else NOTHING,
        link=f"{place}{row['ref_id']}/{query}",
        label=row["label"],
        title=row["title"],
        tags=tags,
        numbers=format_html(NUMBERS, numbers) if numbered else NOTHING,
        responsibility=state_word(answer.facts.responsibility),
        source=format_html(' <span class="tag">{}</span>', source)
        if source
        else NOTHING,
        aws_half=state_word(status.aws_half),
        our_half=state_word(status.customer_half),
        verdict=state_word(status.verdict),
        reason=f"{reason.sentence_with(names)} " if reason else NOTHING,
        why=why(reason) if reason else NOTHING,
        owner=row["owner"] or "nobody",
    )
