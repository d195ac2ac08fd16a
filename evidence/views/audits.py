"""The auditor's pages: where an audit stands, its controls, a mark for each.

Officers open the same pages and read only: they see what the auditors see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from controls import clock
from controls.engagement_scope import ControlScope, scope_of_engagement
from controls.models import Actor, Engagement, System
from evidence.engagements.auditors import Auditor, auditors_of
from evidence.engagements.control_table import (
    marks_among,
    marks_of,
    matching_controls,
    progress_of,
    table_rows,
)
from evidence.engagements.marks_then import view_of_marks
from evidence.engagements.news import last_visit, news_of, people_of, requests_of
from evidence.engagements.scope import (
    keys_in_scope,
    other_audits,
    recorded_by,
    rows_in_scope,
)
from evidence.engagements.scope_changes import changes_of
from evidence.engagements.who_may import may_mark
from evidence.exports.closing import closed_at_of
from evidence.findings.standing import open_findings
from evidence.forms.audits import TableFilter
from evidence.forms.clocks import PageClocks, clocks_of
from evidence.models import Export
from evidence.models.marks import MarkState
from evidence.status.control_filter import matching_rows
from evidence.status.control_status import listed
from evidence.status.criteria import numbers_among
from evidence.status.window_counts import window_counts
from evidence.views.audit_responses import with_responses
from evidence.views.whole_list import page_of
from srm_project.requests import SignedInRequest

EXPORTS_SHOWN = 5
NOTHING = ControlScope(frozenset())


@dataclass(frozen=True)
class Audit:
    """An engagement as somebody opened it."""

    engagement: Engagement
    clocks: PageClocks
    auditors: list[Auditor]
    may_mark: bool
    # whose visits tell what is new: the person, or for an officer the first auditor
    reader: Actor
    # as it was known at the clocks, when it may not have been recorded
    scope: ControlScope
    recorded: bool

    @property
    def system(self) -> System:
        """The system that is audited."""
        return self.engagement.system

    def context(self, request: SignedInRequest) -> dict[str, Any]:
        """What every page of an audit shows."""
        return {
            "audit": self,
            "engagement": self.engagement,
            "system": self.system,
            "clocks": self.clocks,
            "here": request.path,
        }


def audit_or_404(request: SignedInRequest, uuid: Any) -> Audit:
    """The engagement, if the person audits in it or is an officer of its system."""
    mine = Engagement.objects.open_to(request.user)
    engagement = get_object_or_404(mine.select_related("system__baseline"), uuid=uuid)
    window = (engagement.window_start, engagement.window_end)
    auditors = auditors_of([engagement], clock.now())[engagement.pk]
    marks = may_mark(engagement, by=request.user)
    first = next((one.user for one in auditors if one.let_in), request.user)
    clocks = clocks_of(request, engagement.system, own=window)
    known_at = clocks.moment.known_at
    recorded = recorded_by(str(uuid), known_at)
    return Audit(
        engagement,
        clocks,
        auditors,
        marks,
        request.user if marks else first,
        scope_of_engagement(engagement, known_at) if recorded else NOTHING,
        recorded,
    )


@require_GET
def audits(request: SignedInRequest) -> HttpResponse:
    """Which audits do I work on? The only one is opened at once."""
    mine = Engagement.objects.audited_by(request.user).select_related("system")
    rows = list(mine.order_by("window_end", "pk"))
    if len(rows) == 1:
        return redirect("evidence:audit", rows[0].uuid)
    return render(request, "evidence/engagements/audits.html", {"engagements": rows})


@require_GET
def audit(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Where does the audit stand, and what is new since I was here?"""
    opened = audit_or_404(request, uuid)
    engagement, clocks = opened.engagement, opened.clocks
    now = clock.now()
    baseline = listed(opened.system, clocks.moment)
    rows = rows_in_scope(baseline, opened.scope)
    keys = {row["id"] for row in rows} if opened.scope.chosen else None
    try:
        counts = window_counts(opened.system, clocks.moment, clocks.window, keys)
    except LookupError:  # the system was not recorded by then
        counts = None
    marks = marks_of(engagement, clocks.moment.known_at)
    visit = last_visit(engagement, opened.reader, now=now)
    exports = Export.objects.filter(
        system=opened.system, requested_by=opened.reader.pk
    ).for_listing()
    open_now = open_findings(opened.system, clocks.moment, keys)
    context = opened.context(request) | {
        "controls": len(rows),
        "out_of_scope": len(baseline) - len(rows),
        "others": other_audits(
            engagement, reader=request.user, known_at=clocks.moment.known_at
        ),
        "scope_changes": changes_of(engagement, clocks.moment.known_at),
        "criteria": len(numbers_among(rows)),
        "counts": counts,
        "visit": visit,
        "visit_day": visit and opened.system.day_of(visit),
        "news": news_of(engagement, visit or _window_begins(opened), keys),
        "findings": open_now,
        "overdue": sum(row.state == "overdue" for row in open_now),
        "requests": requests_of(engagement, today=clocks.today),
        "progress": progress_of(marks_among(marks, rows), len(rows)),
        "officers": people_of(opened.system, now),
        "exports": exports[:EXPORTS_SHOWN],
        "closed_at": closed_at_of(engagement),
        "days_to_go": (engagement.window_end - clocks.today).days,
    }
    return render(request, "evidence/engagements/audit.html", context)


def _window_begins(opened: Audit) -> Any:
    return opened.system.end_of_day(opened.engagement.window_start)


@require_GET
def audit_news(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """What exactly is new since I was here?"""
    opened = audit_or_404(request, uuid)
    visit = last_visit(opened.engagement, opened.reader, now=clock.now())
    keys = keys_in_scope(opened.engagement, opened.scope)
    news = news_of(opened.engagement, visit or _window_begins(opened), keys)
    context = opened.context(request) | {
        "visit": visit,
        "visit_day": visit and opened.system.day_of(visit),
        "news": news,
    }
    return render(request, "evidence/engagements/news.html", context)


@require_GET
def audit_controls(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Which controls held over the window, and what did I mark?"""
    opened = audit_or_404(request, uuid)
    clocks = opened.clocks
    baseline = listed(opened.system, clocks.moment)
    rows = rows_in_scope(baseline, opened.scope)
    marks = marks_of(opened.engagement, clocks.moment.known_at)
    chosen = TableFilter(request.GET, rows=rows)
    filters = chosen.filters()
    outside = [row for row in baseline if row["ref_id"] not in opened.scope]
    matching = matching_controls(clocks, rows, filters, marks)
    page = page_of(request, matching)
    table = table_rows(opened.engagement, clocks, list(page.object_list), marks)
    page.object_list = with_responses(table, clocks)
    context = opened.context(request) | {
        "filter": chosen,
        "kept_filters": filters,
        "page": page,
        "total": len(rows),
        "outside": matching_rows(outside, filters) if outside else [],
        "states": MarkState.choices,
        # those of an earlier knowledge are read, not changed
        "marking": opened.may_mark and clocks.moment.known_at is None,
        "export_view": _export_view(opened, filters) if page.object_list else "",
    }
    return render(request, "evidence/engagements/controls.html", context)


def _export_view(opened: Audit, filters: Mapping[str, str]) -> str:
    """What the page of exports is asked for a file with the rows of the table.

    Empty for marks with an earlier knowledge: those of the table are of now.
    """
    query = {**filters, "system": opened.system.slug}
    if opened.scope.chosen:
        query["engagement"] = str(opened.engagement.uuid)
    if result := query.pop("result", ""):
        query["verdict"] = result
    if "mark" in query:
        if opened.clocks.moment.known_at is not None:
            return ""
        query["mark"] = view_of_marks(opened.engagement, query["mark"])
    clocks = opened.clocks.query
    return "&".join(filter(None, [urlencode(query), clocks]))


def engagement_or_404(request: SignedInRequest, uuid: Any) -> Engagement:
    """The engagement, if its audit pages are open to the person."""
    mine = Engagement.objects.open_to(request.user).select_related("system")
    return get_object_or_404(mine, uuid=uuid)
