"""What waits for my decision, and the decision itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from controls.errors import Refused
from evidence.forms.reviews import (
    DecisionForm,
    DecisionsForm,
    day_answer,
    required_day,
)
from evidence.models import EvidenceLink
from evidence.planning.my_work import populations_to_judge, to_review
from evidence.reviews.decide import Decision, SomeRefused, decide_all
from evidence.reviews.late_recording import LateRecording, late_recordings
from evidence.views.answers import return_to_work
from srm_project.requests import SignedInRequest

PER_PAGE = 25
SEVERAL = 50


@require_GET
def queue(request: SignedInRequest) -> HttpResponse:
    """What waits for my decision, oldest first?"""
    return _queue(request)


@require_POST
def accept(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Record that the link's bytes suffice."""
    link = _link(request, uuid)
    try:
        reason, version = DecisionForm(request.POST).seen()
        day = required_day(request.POST, late_recordings([link]).get(link.pk))
        link.accept(by=request.user, reason=reason, version=version, day=day)
    except ValidationError as refusal:
        return _queue(request, refusal, link)
    messages.success(request, f"Accepted: {link}.")
    return return_to_work(request) or redirect("evidence:queue")


@require_POST
def reject(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Record that the link does not prove it, and what to change."""
    link = _link(request, uuid)
    try:
        reason, version = DecisionForm(request.POST).seen()
        link.reject(by=request.user, reason=reason, version=version)
    except ValidationError as refusal:
        return _queue(request, refusal, link)
    messages.success(request, f"Rejected: {link}.")
    return return_to_work(request) or redirect("evidence:queue")


@require_http_methods(["GET", "POST"])
def several(request: SignedInRequest) -> HttpResponse:
    """Many decisions in one step, each with its own reason."""
    form = DecisionsForm(request.POST if request.method == "POST" else None)
    refused: dict[Any, str] = {}
    if form.is_bound and form.decisions:
        refused = form.unanswered(_recordings_of(request, form.decisions))
    if form.is_bound and form.decisions and not refused:
        try:
            decided = decide_all(form.decisions, by=request.user)
        except SomeRefused as refusal:
            refused = refusal.by_link
        except Refused as refusal:
            refused = dict.fromkeys(
                (decision.link for decision in form.decisions),
                " ".join(refusal.messages),
            )
        else:
            messages.success(request, f"{len(decided)} decided.")
            return redirect("evidence:review_several")
    links = list(to_review(request.user)[:SEVERAL])
    recordings = late_recordings(links)
    rows = [form.row(link, refused, recordings.get(link.pk)) for link in links]
    context = {"rows": rows, "refused": len(refused), "nothing": form.is_bound}
    status = 409 if refused else 422 if form.is_bound else 200
    return render(request, "evidence/reviews/several.html", context, status=status)


def _recordings_of(
    request: SignedInRequest, decisions: Iterable[Decision]
) -> dict[Any, LateRecording]:
    """How late each link to accept was recorded, by its uuid."""
    accepted = [decision.link for decision in decisions if decision.accept]
    links = list(to_review(request.user).filter(uuid__in=accepted))
    recordings = late_recordings(links)
    return {link.uuid: recordings[link.pk] for link in links if link.pk in recordings}


def _link(request: SignedInRequest, uuid: Any) -> EvidenceLink:
    return get_object_or_404(
        EvidenceLink.objects.visible_to(request.user).for_listing(), uuid=uuid
    )


def _queue(
    request: SignedInRequest,
    refusal: ValidationError | None = None,
    refused: EvidenceLink | None = None,
) -> HttpResponse:
    page = Paginator(to_review(request.user), PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "page": page,
        "late_recordings": late_recordings(page.object_list),
        "refused": refused,
        "kept_reason": request.POST.get("reason", ""),
        "kept_day": day_answer(request.POST),
        "refusal": " ".join(refusal.messages) if refusal else "",
        "populations": populations_to_judge(request.user).count(),
    }
    status = getattr(refusal, "status_code", 400) if refusal else 200
    return render(request, "evidence/reviews/queue.html", context, status=status)
