"""Engagements of a system, as its officers keep them: made, renewed, ended."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from controls import clock
from controls.audit_systems import (
    end_in_audit,
    make_audit,
    officered_in_audit,
    renew_in_audit,
    running_in_audit,
)
from controls.engagement_scope import (
    in_words,
    scope_of_engagement,
)
from controls.engagements import end_engagement, renew_engagement
from controls.grammar import count_of
from controls.models import Engagement, System
from evidence.engagements.auditors import (
    auditors_of,
    engagements_of,
    open_invitations,
)
from evidence.forms.engagements import (
    EndEngagementForm,
    EngagementForm,
    RenewForm,
    SystemToAddForm,
    TakeOutForm,
)
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import answer_with, explain
from evidence.views.once import once
from srm_project.recent_proof import recent_proof_required
from srm_project.requests import SignedInRequest

UNREAD_VERSION = "Nothing was ended. Look at the engagement again, and end it then."


def officers_system(request: SignedInRequest, slug: str) -> System:
    """The system, if the person is an officer of it."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    return system


@require_GET
def engagements(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which audits of this system are there, and who is let in until when?"""
    return _list(request, officers_system(request, slug))


def _list(
    request: SignedInRequest, system: System, form: EngagementForm | None = None
) -> HttpResponse:
    window = {"window_start": system.window_start, "window_end": system.window_end}
    others = other_systems(request, system)
    context = {
        "system": system,
        "listed": engagements_of(system, clock.now()),
        "form": form or EngagementForm(initial=window, others=others),
    }
    status = 422 if form else 200
    return render(request, "evidence/engagements/list.html", context, status=status)


def other_systems(request: SignedInRequest, system: System) -> QuerySet[System]:
    """Those in which the person is an officer as well."""
    mine = System.objects.officered_by(request.user).exclude(pk=system.pk)
    return mine.order_by("name")


@require_POST
@recent_proof_required
@once
def engagement_new(request: SignedInRequest, slug: str) -> HttpResponse:
    """Record an audit."""
    system = officers_system(request, slug)
    form = EngagementForm(request.POST, others=other_systems(request, system))
    if not form.is_valid():
        return _list(request, system, form)
    systems = [system, *form.others]
    try:
        made = make_audit(systems, form.draft(), by=request.user, now=clock.now())[0]
    except ValidationError as refusal:
        explain(form, refusal)
        return _list(request, system, form)
    messages.success(
        request,
        f"“{made.title}” is recorded for {count_of(len(systems), 'system')}. Next,"
        " choose its controls if it is not about all of them, and invite its auditors.",
    )
    return redirect("evidence:engagement_access", system.slug, made.uuid)


def officers_engagement_or_404(
    request: SignedInRequest, slug: str, uuid: Any
) -> Engagement:
    """The engagement of a system that the person is an officer of."""
    system = officers_system(request, slug)
    rows = system.engagements.select_related("system")
    engagement: Engagement = get_object_or_404(rows, uuid=uuid)
    return engagement


@require_GET
def engagement_access(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Who audits in this engagement, and until when?"""
    return access_page(request, officers_engagement_or_404(request, slug, uuid))


def access_page(
    request: SignedInRequest,
    engagement: Engagement,
    renewal: RenewForm | None = None,
    addition: SystemToAddForm | None = None,
    removal: TakeOutForm | None = None,
) -> HttpResponse:
    """The page of who audits; with a form that was refused, answered with 422."""
    system, now = engagement.system, clock.now()
    auditors = auditors_of([engagement], now)[engagement.pk]
    initial = {
        "people": [auditor.user.uuid for auditor in auditors if auditor.let_in],
        "version": engagement.version,
    }
    context = {
        "system": system,
        "engagement": engagement,
        "auditors": auditors,
        "invitations": open_invitations(engagement),
        "scope": in_words(scope_of_engagement(engagement)),
        "others": officered_in_audit(engagement, request.user),
        "in_audit": running_in_audit(engagement),
        "addition": addition
        or SystemToAddForm(
            systems=systems_to_add(request, engagement), initial=initial
        ),
        "removal": removal or TakeOutForm(initial=initial, auto_id="out_%s"),
        "renewal": renewal
        or RenewForm(
            auditors=[auditor.user for auditor in auditors],
            today=system.day_of(now),
            initial=initial,
        ),
        "end": EndEngagementForm(initial=initial, auto_id="end_%s"),
    }
    status = 422 if renewal or addition or removal else 200
    return render(request, "evidence/engagements/access.html", context, status=status)


def systems_to_add(
    request: SignedInRequest, engagement: Engagement
) -> QuerySet[System]:
    """Those in which the person is an officer, and which the audit does not cover."""
    covered = Engagement.objects.filter(audit=engagement.audit).values("system")
    return other_systems(request, engagement.system).exclude(pk__in=covered)


def to_access(engagement: Engagement) -> HttpResponse:
    """Back to who audits in it."""
    return redirect(
        "evidence:engagement_access", engagement.system.slug, engagement.uuid
    )


@require_POST
@recent_proof_required
def engagement_renew(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Let its auditors read to a later day."""
    engagement = officers_engagement_or_404(request, slug, uuid)
    now = clock.now()
    auditors = auditors_of([engagement], now)[engagement.pk]
    people = [auditor.user for auditor in auditors]
    today = engagement.system.day_of(now)
    form = RenewForm(request.POST, auditors=people, today=today)
    if not form.is_valid():
        return access_page(request, engagement, form)
    last_day = form.cleaned_data["last_day"]
    try:
        renew = renew_in_audit if form.cleaned_data["everywhere"] else renew_engagement
        grants = renew(
            engagement,
            list(form.cleaned_data["people"]),
            last_day=last_day,
            by=request.user,
            now=now,
            version=form.cleaned_data["version"],
        )
    except ValidationError as refusal:
        if getattr(refusal, "status_code", 400) != 400:
            return answer_with(request, refusal, to_access(engagement))
        explain(form, refusal)
        return access_page(request, engagement, form)
    names = ", ".join(dict.fromkeys(str(grant.user) for grant in grants))
    messages.success(request, f"Let in to {last_day}, that day included: {names}.")
    return to_access(engagement)


@require_POST
@recent_proof_required
def engagement_end(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """End it: nobody is let in by it any more."""
    engagement = officers_engagement_or_404(request, slug, uuid)
    form = EndEngagementForm(request.POST)
    back = to_access(engagement)
    if not form.is_valid():
        messages.error(request, UNREAD_VERSION)
        return back
    version = form.cleaned_data["version"]
    try:
        end = end_in_audit if form.cleaned_data["everywhere"] else end_engagement
        end(engagement, by=request.user, now=clock.now(), version=version)
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    messages.success(
        request,
        f"“{engagement.title}” has ended: its auditors read nothing any more."
        " What they marked stays.",
    )
    return back
