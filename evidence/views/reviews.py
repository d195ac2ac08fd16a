"""Decisions on links: one alone, and many in one step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from controls.errors import Refused
from controls.grammar import count_of
from evidence.forms.reviews import (
    DecisionForm,
    DecisionsForm,
    required_day,
)
from evidence.models import EvidenceLink
from evidence.reviews import desk
from evidence.reviews.decide import Decision, SomeRefused, decide_all
from evidence.reviews.late_recording import LateRecording, late_recordings
from evidence.views.answers import refused, return_to_work
from srm_project.requests import SignedInRequest

SEVERAL = 25  # submissions on one page


@require_POST
def accept(request: SignedInRequest, uuid: Any) -> HttpResponse:
    """Record that the link's bytes suffice."""
    link = _link(request, uuid)
    try:
        reason, version = DecisionForm(request.POST).seen()
        day = required_day(request.POST, late_recordings([link]).get(link.pk))
        link.accept(
            by=request.user,
            reason=reason,
            version=version,
            day=day,
            complete="complete" in request.POST,
        )
    except ValidationError as refusal:
        return refused(request, refusal)
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
        return refused(request, refusal)
    messages.success(request, f"Rejected: {link}.")
    return return_to_work(request) or redirect("evidence:queue")


@require_http_methods(["GET", "POST"])
def several(request: SignedInRequest) -> HttpResponse:
    """Many decisions in one step, each with its own reason.

    `?all=accept` ticks Accept for all that is shown, but for what was recorded late and
    for flagged files: those are decided one by one.
    """
    form = DecisionsForm(request.POST if request.method == "POST" else None)
    errors: dict[Any, str] = {}
    if form.is_bound and form.decisions:
        errors = form.unanswered(_recordings_of(request, form.decisions))
    if form.is_bound and form.decisions and not errors:
        try:
            decided = decide_all(form.decisions, by=request.user)
        except SomeRefused as refusal:
            errors = refusal.by_link
        except Refused as refusal:
            errors = dict.fromkeys(
                (decision.link for decision in form.decisions),
                " ".join(refusal.messages),
            )
        else:
            messages.success(request, f"{count_of(len(decided), 'link')} decided.")
            return redirect("evidence:review_several")
    submissions = _shown(request)
    accept_all = request.GET.get("all") == "accept" and not form.is_bound
    groups = [
        (submission, [form.row(row, errors, accept_all) for row in submission.links])
        for submission in submissions
    ]
    context = {
        "groups": groups,
        "chosen": sum(bool(row.choice) for _, rows in groups for row in rows),
        "errors": len(errors),
        "gone": _no_longer_shown(request, form, errors, submissions),
        "nothing": form.is_bound,
    }
    status = 409 if errors else 422 if form.is_bound else 200
    return render(request, "evidence/reviews/several.html", context, status=status)


def _shown(request: SignedInRequest) -> list[desk.WaitingSubmission]:
    """The first submissions that wait, the oldest period first."""
    waiting = desk.waiting(request.user)
    keys = [row["revision"] for row in desk.by_oldest_period(waiting)[:SEVERAL]]
    submissions = desk.submissions_of(waiting.filter(revision__in=keys))
    return [submissions[key] for key in keys if key in submissions]


def _no_longer_shown(
    request: SignedInRequest,
    form: DecisionsForm,
    errors: dict[Any, str],
    shown: Iterable[desk.WaitingSubmission],
) -> list[tuple[EvidenceLink, str, str]]:
    """What was decided on and does not wait any more: link, why, the reason typed."""
    waiting = {row.link.uuid for submission in shown for row in submission.links}
    reasons = {decision.link: decision.reason for decision in form.decisions}
    links = EvidenceLink.objects.visible_to(request.user).for_listing()
    return [
        (link, errors[link.uuid], reasons[link.uuid])
        for link in links.filter(uuid__in=errors.keys() - waiting)
    ]


def _recordings_of(
    request: SignedInRequest, decisions: Iterable[Decision]
) -> dict[Any, LateRecording]:
    """How late each link to accept was recorded, by its uuid."""
    accepted = [decision.link for decision in decisions if decision.accept]
    links = list(desk.waiting(request.user).for_listing().filter(uuid__in=accepted))
    recordings = late_recordings(links)
    return {link.uuid: recordings[link.pk] for link in links if link.pk in recordings}


def _link(request: SignedInRequest, uuid: Any) -> EvidenceLink:
    return get_object_or_404(
        EvidenceLink.objects.visible_to(request.user).for_listing(), uuid=uuid
    )
