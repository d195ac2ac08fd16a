"""My work: the page a person opens in the morning."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from evidence import working
from evidence.models import SpillRemoval
from evidence.reconfirming import to_reconfirm

REVIEWED_HERE = 5  # the queue holds the rest


@require_GET
def work(request: HttpRequest) -> HttpResponse:
    """What is due, rejected or expiring for my teams, and what waits for me?"""
    today = timezone.localdate()
    asks = working.asked_of(request.user, today)
    open_asks = [each for each in asks if each.state != "current"]
    context = {
        "today": today,
        "asks": open_asks[: working.LISTED],
        "more": max(0, len(open_asks) - working.LISTED),
        "counts": working.counted(asks),
        "waiting": working.waiting_for(request.user),
        "to_review": working.to_review(request.user)[:REVIEWED_HERE],
        "per_event": working.per_event_of(request.user, today),
        "populations": working.populations_to_judge(request.user),
        "overrides": working.overrides_to_decide(request.user),
        "exclusions": working.exclusions_to_decide(request.user),
        "removals": SpillRemoval.objects.to_decide(request.user),
        "requests": working.requests_of(request.user),
        "drafts": working.drafts_of(request.user),
        "to_reconfirm": to_reconfirm(request.user, today),
        "unread": working.unread_reports(request.user),
    }
    return render(request, "evidence/work.html", context)
