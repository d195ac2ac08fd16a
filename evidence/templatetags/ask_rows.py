"""What each row of My work repeats, written in one go.

A template takes three times as long for them, which was half of the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from controls.grammar import count_of
from evidence.models import RequirementControl
from evidence.planning.by_ask import AskRow
from evidence.planning.next_upload import NextUpload
from evidence.planning.prospect import Prospect

register = template.Library()
NOTHING = mark_safe("")
MAX_FURTHER = 12  # periods that are named one by one

FURTHER = """
<details class="further">
<summary>and {number} more</summary>
<ul class="open-periods">{periods}{rest}</ul>
</details>"""
COUNTS_AS = """
<div class="counts-as counts-{outcome}">{state}
<p>{period}</p>
<p>{proof}</p>{following}{confirmation}
</div>"""
COUNTS_AS_NOTHING_YET = mark_safe(
    '<p class="hint">What it counts as is said here once the days are possible.</p>'
)
UPLOAD = """
<form method="post" enctype="multipart/form-data" action="{url}">
<input type="hidden" name="csrfmiddlewaretoken" value="{csrf_token}">
<input type="hidden" name="form_token" value="{form_token}">
<input type="hidden" name="next" value="work">
<input type="hidden" name="sensitivity" value="internal">
<div>
<label for="files-{uuid}">Files</label>
<input type="file" id="files-{uuid}" name="files" multiple required>
</div>
<div id="days-{uuid}">
<input type="hidden" name="period" value="{period_key}">
<label for="on-{uuid}">Performed on</label>
<input type="date"
       id="on-{uuid}"
       name="performed_on"
       value="{today}"
       required
       aria-describedby="counts-{uuid}">
<div id="counts-{uuid}"
     role="status"
     hx-get="{url}{query}"
     hx-trigger="change from:#days-{uuid}"
     hx-include="#days-{uuid} input">{counts_as}</div>
</div>{also}
<p class="actions">
<button>Submit for {first} to {last}</button>
<button name="draft" value="1" class="secondary">Keep as a draft</button>
<a href="{url}{query}" aria-label="All fields: {title}, {label}">All fields</a>{again}
</p>
</form>"""
AGAIN = """
<a href="{url}?again={evidence}" aria-label="{words}: {title}, {label}">{words}</a>"""
ALSO = """
<fieldset class="plain">
<legend>It proves {number}</legend>
<ul class="proves">
<li class="first">
<strong>{label}</strong>
<p class="line">{shows}</p>
</li>{others}
</ul>
</fieldset>"""
OTHER = """
<li>
<input type="checkbox" name="also" value="{}" id="also-{}" checked>
<label for="also-{}">{}</label>
<p class="line">{}</p>
</li>"""


@register.simple_tag
def further_periods(uploads: Sequence[NextUpload]) -> SafeString:
    """What is overdue besides the oldest open period, folded, each a link."""
    if not uploads:
        return NOTHING
    named = uploads[:MAX_FURTHER]
    urls = {first: _upload_url(first) for first in {upload.first for upload in named}}
    periods = (
        (urls[upload.first], upload.query, upload.period.sentence) for upload in named
    )
    later = len(uploads) - len(named)
    rest = format_html(
        "\n<li>and {}</li>", count_of(later, "later period,later periods")
    )
    return format_html(
        FURTHER,
        number=len(uploads),
        periods=format_html_join("", '\n<li><a href="{}{}">{}</a></li>', periods),
        rest=rest if later else NOTHING,
    )


def _upload_url(requirement: RequirementControl) -> str:
    return reverse("evidence:upload", args=[requirement.system.slug, requirement.uuid])


@register.simple_tag
def counts_as(prospect: Prospect | None) -> SafeString:
    """What the days typed would count as; None where they say nothing yet."""
    if prospect is None:
        return COUNTS_AS_NOTHING_YET
    outcome, following = prospect.outcome, prospect.next_period
    confirmation = prospect.confirmation_sentence
    return format_html(
        COUNTS_AS,
        outcome=outcome or "open",
        state=format_html(
            '\n<span class="state state-{}">{}</span>', outcome, prospect.word
        )
        if prospect.word
        else NOTHING,
        period=prospect.period_sentence,
        proof=prospect.proof_sentence,
        following=format_html("\n<p>The oldest open period is then {}.</p>", following)
        if following
        else NOTHING,
        confirmation=format_html('\n<p class="hint">{}</p>', confirmation)
        if confirmation
        else NOTHING,
    )


@register.simple_tag(takes_context=True)
def upload_form(context: Mapping[str, Any], row: AskRow, url: str) -> SafeString:
    """The form that uploads what is next for an ask, to `url`."""
    upload, requirement = row.upload, row.requirement
    period, title = upload.period, requirement.title
    label = requirement.implementation.control.label
    return format_html(
        UPLOAD,
        url=url,
        csrf_token=context["csrf_token"],
        form_token=context["form_token"](),
        uuid=requirement.uuid,
        period_key=period.key,
        today=row.worst.today,
        query=upload.query,
        counts_as=counts_as(row.prospect),
        also=_also(upload),
        first=period.first,
        last=period.last,
        title=title,
        label=label,
        again=_again(row, url),
    )


def _also(upload: NextUpload) -> SafeString:
    """The controls that the same upload proves, where there are more than one."""
    if not upload.also:
        return NOTHING
    others = (
        (row.pk, row.uuid, row.uuid, _label(row), row.what_it_shows)
        for row in upload.also
    )
    return format_html(
        ALSO,
        number=count_of(len(upload.rows), "control"),
        label=_label(upload.first),
        shows=upload.first.what_it_shows,
        others=format_html_join("", OTHER, others),
    )


def _label(requirement: RequirementControl) -> str:
    return str(requirement.implementation.control.label)


def _again(row: AskRow, url: str) -> SafeString:
    """A link to bring the same again, where something of it was accepted."""
    requirement: Any = row.requirement  # as `with_newest_links` leaves it
    evidence = getattr(requirement, "proven_evidence", None)
    if not evidence:
        return NOTHING
    return format_html(
        AGAIN,
        url=url,
        evidence=evidence,
        words=row.worst.again,
        title=requirement.title,
        label=_label(requirement),
    )
