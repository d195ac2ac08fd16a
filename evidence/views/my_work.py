"""My work: the page a person opens in the morning."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from controls import clock, retrospect
from controls.models import Actor, AlternativeImplementation
from evidence.artifacts.citation_decisions import (
    citations_by_series,
    citations_to_decide,
)
from evidence.artifacts.letters import letters_to_decide
from evidence.artifacts.remark_answers import answers_to_decide, remarks_to_answer
from evidence.files.to_clear import files_to_clear
from evidence.findings.responses import responses_to_decide
from evidence.findings.standing import dispositions_to_decide
from evidence.forms.my_work import WorkFilter
from evidence.held_reports.to_decide import (
    report_removals_to_decide,
    reports_to_clear,
)
from evidence.models import SpillRemoval, WindowClosing
from evidence.planning import asks, my_work
from evidence.planning.board import board_of
from evidence.planning.last_brought import with_last_brought
from evidence.planning.prospect import with_prospects
from evidence.planning.signatures import signatures
from evidence.planning.waiting_lists import that_wait
from evidence.reviews import desk
from evidence.reviews.reconfirm import to_reconfirm
from evidence.systems.regions import systems_without_regions
from evidence.views.header import count_anew
from srm_project.requests import SignedInRequest

ASKS_PER_PAGE = 25
REVIEWED_HERE = 5  # submissions; the desk holds the rest
Lists = dict[str, Any]


@require_GET
def work(request: SignedInRequest) -> HttpResponse:
    """What is due, rejected or expiring for my teams, and what waits for me?"""
    now = clock.now()
    board = board_of(request.user, now)
    count_anew(request.user, board)
    bringing = my_work.brings_to(request.user)
    teams = my_work.teams_of(request.user) if bringing else []
    work_filter = WorkFilter(request.GET, systems=bringing)
    chosen = work_filter.chosen()
    fitting: Any = board.fitting(chosen)  # read by slices
    page = Paginator(fitting, ASKS_PER_PAGE).get_page(request.GET.get("page"))
    rows, drafts = with_last_brought(
        list(page.object_list), my_work.drafts_of(request.user)
    )
    context = {
        "bringing": bringing,
        "teams": teams,
        "filter": work_filter,
        "chosen": chosen,
        "number": board.number,
        "page": page,
        "asks": with_prospects(rows),
        "counts": board.counted(),
        "waiting": 0,
        "unstated": my_work.unstated_of(request.user, now),
        "drafts": drafts,
    }
    decides = my_work.decides(request.user)
    if decides:
        context |= _to_review(request.user, now) | _to_decide(request.user)
    context |= _whatever_the_role(request.user, now, decides=decides)
    context["signatures"] = signatures(context)
    return render(request, "evidence/my_work/page.html", context)


def _to_review(user: Actor, now: dt.datetime) -> Lists:
    """What a reviewer accepts or rejects, the oldest periods first."""
    waiting = desk.waiting(user)
    by_period = desk.by_oldest_period(waiting)
    first = [row["revision"] for row in by_period[:REVIEWED_HERE]]
    submissions = desk.submissions_of(waiting.filter(revision__in=first))
    return {
        "waiting": desk.number_of(waiting),
        "to_review": [submissions[key] for key in first if key in submissions],
        "to_reconfirm": sorted(
            Counter(link.system for _, link in to_reconfirm(user, now)).items(),
            key=lambda pair: pair[0].name,
        ),
    }


def _whatever_the_role(user: Actor, now: dt.datetime, *, decides: bool) -> Lists:
    """What waits for registrars and auditors as well as for officers, and what most
    often is empty."""
    rows = {
        "per_event": asks.per_event_of(user, now),
        "closings": WindowClosing.objects.to_decide(user).for_listing(),
        **my_work.requests_of(user),
        **(_most_often_empty(user) if decides else {}),
    }
    lists = that_wait(user, rows)
    changes = lists.pop("changes", ())
    return lists | {
        "changes": [(change, retrospect.kind_of(change)) for change in changes],
        "report_removals": report_removals_to_decide(user),
        "reports_to_clear": reports_to_clear(user),
    }


def _most_often_empty(user: Actor) -> Lists:
    """What officers approve, and what a second person decides on, as it is asked of
    the database."""
    return {
        "overrides": my_work.overrides_to_decide(user),
        "exclusions": my_work.exclusions_to_decide(user),
        "alternatives": AlternativeImplementation.objects.to_decide(user),
        "ends": my_work.ends_to_decide(user),
        "changes": my_work.changes_to_decide(user),
        "removals": SpillRemoval.objects.to_decide(user),
        "populations": my_work.populations_to_judge(user),
        "answers": answers_to_decide(user),
        "dispositions": dispositions_to_decide(user),
        "responses": responses_to_decide(user),
    }


def _to_decide(user: Actor) -> Lists:
    """What a second person decides on, or an officer answers, that takes more than a
    condition to know."""
    return {
        "files_to_clear": files_to_clear(user),
        "without_regions": systems_without_regions(user),
        "remarks": remarks_to_answer(user),
        "letters": letters_to_decide(user),
        "citations": citations_by_series(citations_to_decide(user)).items(),
        "unread": my_work.unread_reports(user),
    }
