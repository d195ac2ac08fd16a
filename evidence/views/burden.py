"""Who carries the controls of a system, and what does our part cost a year?"""

from __future__ import annotations

import csv

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from evidence.exports.rows.cells import EXCEL_MARK, inert
from evidence.requirements.burden_shares import Share, past_shares, shares
from evidence.status.control_status import listed, moment_of, today_of
from evidence.status.trend import month_ends
from evidence.views.access import system_or_404
from srm_project.requests import SignedInRequest

COLUMNS = (
    "By",
    "Of",
    "Controls",
    "Providers carry",
    "Shared",
    "Left to us",
    "No such layer",
    "Not applicable",
    "Asks",
    "Uploads a year",
    "Reviews a year",
)


@require_GET
def burden(request: SignedInRequest, slug: str) -> HttpResponse:
    """By family and by team, why, and at the past twelve month ends."""
    system = system_or_404(request, slug)
    today = today_of(system)
    rows = listed(system, moment_of(system, today, None))
    context = {
        "system": system,
        "day": today,
        "shares": shares(system, rows, today),
        "past": past_shares(system, month_ends(today, 13)[:-1]),
    }
    return render(request, "evidence/burden/page.html", context)


@require_GET
def burden_csv(request: SignedInRequest, slug: str) -> HttpResponse:
    """The same as a file: a line for the whole, each family, team and month end."""
    system = system_or_404(request, slug)
    today = today_of(system)
    of_today = shares(system, listed(system, moment_of(system, today, None)), today)
    lines = [_line("System", system.name, of_today.whole)]
    lines += [_line("Family", share.name, share) for share in of_today.families]
    lines += [_line("Team", share.name, share) for share in of_today.teams]
    for past in past_shares(system, month_ends(today, 13)[:-1]):
        lines.append(_line("Month end", str(past.day), past.share))
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    name = f"{system.slug}-burden-{today}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer.write(EXCEL_MARK)
    csv.writer(answer).writerows([COLUMNS, *lines])
    return answer


def _line(by: str, of: str, share: Share) -> list[str]:
    numbers = (
        share.total,
        share.providers,
        share.shared,
        share.ours,
        share.nobodys,
        share.left_out,
        share.burden.asks,
        share.burden.uploads,
        share.burden.reviews,
    )
    return [by, inert(of), *map(str, numbers)]
