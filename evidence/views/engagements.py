"""Engagements of a system, as its officers keep them: made, renewed, ended."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
)

from controls import clock
from controls.audit_systems import (
    end_in_audit,
    make_audit,
    officered_in_audit,
    renew_in_audit,
)
from controls.engagement_scope import (
    in_words,
    scope_of_engagement,
)
from controls.engagements import end_engagement, renew_engagement
from controls.errors import Refused
from controls.grammar import count_of
from controls.models import Engagement, System
from evidence.engagements.auditors import (
    auditors_of,
    engagements_of,
    open_invitations,
)
from evidence.engagements.scope import choose_scope, scopes_recorded
from evidence.engagements.scope_list import read_scope
from evidence.forms.engagements import (
    EndEngagementForm,
    EngagementForm,
    RenewForm,
    ScopeForm,
)
from evidence.status.control_status import named
from evidence.status.rows import Moment
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import answer_with, explain
from evidence.views.once import once
from srm_project.recent_proof import recent_proof_required
from srm_project.requests import SignedInRequest

PASTED_FOR_ALL = "Take “Chosen controls”, or leave the list empty."
UNREAD_VERSION = "Nothing was ended. Look at the engagement again, and end it then."


def _officers_system(request: SignedInRequest, slug: str) -> System:
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    return system


@require_GET
def engagements(request: SignedInRequest, slug: str) -> HttpResponse:
    """Which audits of this system are there, and who is let in until when?"""
    return _list(request, _officers_system(request, slug))


def _list(
    request: SignedInRequest, system: System, form: EngagementForm | None = None
) -> HttpResponse:
    window = {"window_start": system.window_start, "window_end": system.window_end}
    others = _other_systems(request, system)
    context = {
        "system": system,
        "listed": engagements_of(system, clock.now()),
        "form": form or EngagementForm(initial=window, others=others),
    }
    status = 422 if form else 200
    return render(request, "evidence/engagements/list.html", context, status=status)


def _other_systems(request: SignedInRequest, system: System) -> QuerySet[System]:
    """Those in which the person is an officer as well."""
    mine = System.objects.officered_by(request.user).exclude(pk=system.pk)
    return mine.order_by("name")


@require_POST
@recent_proof_required
@once
def engagement_new(request: SignedInRequest, slug: str) -> HttpResponse:
    """Record an audit."""
    system = _officers_system(request, slug)
    form = EngagementForm(request.POST, others=_other_systems(request, system))
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


def _engagement_or_404(request: SignedInRequest, slug: str, uuid: Any) -> Engagement:
    system = _officers_system(request, slug)
    rows = system.engagements.select_related("system")
    engagement: Engagement = get_object_or_404(rows, uuid=uuid)
    return engagement


@require_GET
def engagement_access(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Who audits in this engagement, and until when?"""
    return _access(request, _engagement_or_404(request, slug, uuid))


def _access(
    request: SignedInRequest,
    engagement: Engagement,
    renewal: RenewForm | None = None,
) -> HttpResponse:
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
        "renewal": renewal
        or RenewForm(
            auditors=[auditor.user for auditor in auditors],
            today=system.day_of(now),
            initial=initial,
        ),
        "end": EndEngagementForm(initial=initial, auto_id="end_%s"),
    }
    status = 422 if renewal else 200
    return render(request, "evidence/engagements/access.html", context, status=status)


def _to_access(engagement: Engagement) -> HttpResponse:
    return redirect(
        "evidence:engagement_access", engagement.system.slug, engagement.uuid
    )


@require_POST
@recent_proof_required
def engagement_renew(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Let its auditors read to a later day."""
    engagement = _engagement_or_404(request, slug, uuid)
    now = clock.now()
    auditors = auditors_of([engagement], now)[engagement.pk]
    people = [auditor.user for auditor in auditors]
    today = engagement.system.day_of(now)
    form = RenewForm(request.POST, auditors=people, today=today)
    if not form.is_valid():
        return _access(request, engagement, form)
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
            return answer_with(request, refusal, _to_access(engagement))
        explain(form, refusal)
        return _access(request, engagement, form)
    names = ", ".join(dict.fromkeys(str(grant.user) for grant in grants))
    messages.success(request, f"Let in to {last_day}, that day included: {names}.")
    return _to_access(engagement)


@require_POST
@recent_proof_required
def engagement_end(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """End it: nobody is let in by it any more."""
    engagement = _engagement_or_404(request, slug, uuid)
    form = EndEngagementForm(request.POST)
    back = _to_access(engagement)
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


@require_http_methods(["GET", "HEAD", "POST"])
def engagement_scope(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Which controls is this audit about?"""
    engagement = _engagement_or_404(request, slug, uuid)
    scope = scope_of_engagement(engagement)
    if request.method != "POST":
        which = "chosen" if scope.chosen else "baseline"
        initial = {"which": which, "version": engagement.version}
        form = ScopeForm(initial=initial)
        return _scope_page(request, engagement, form, scope.controls or ())
    form = ScopeForm(request.POST)
    ticked = request.POST.getlist("controls")
    if not form.is_valid():
        return _scope_page(request, engagement, form, ticked)
    try:
        system, typed = engagement.system, form.cleaned_data["pasted"]
        today = system.day_of(clock.now())
        pasted = read_scope(system, typed, on=today, field="pasted")
        chosen = {*ticked, *pasted.controls}
        whole = form.cleaned_data["which"] == "baseline"
        if whole and pasted.controls:
            raise Refused({"which": PASTED_FOR_ALL})
        after = choose_scope(
            engagement,
            None if whole else chosen,
            by=request.user,
            version=form.cleaned_data["version"],
        )
    except ValidationError as refusal:
        if getattr(refusal, "status_code", 400) != 400:
            return answer_with(request, refusal, redirect(request.path))
        explain(form, refusal)
        return _scope_page(request, engagement, form, ticked)
    messages.success(
        request,
        f"This audit is about {in_words(after)}; its pages and files follow."
        f" {pasted.sentence}".rstrip(),
    )
    return _to_access(engagement)


def _scope_page(
    request: SignedInRequest,
    engagement: Engagement,
    form: ScopeForm,
    ticked: Collection[str],
) -> HttpResponse:
    system = engagement.system
    context = {
        "system": system,
        "engagement": engagement,
        "form": form,
        "rows": named(system, Moment(system.day_of(clock.now()))),
        "ticked": ticked,
        "scopes": scopes_recorded(engagement),
        "let_in": engagement.memberships.exists(),
    }
    status = 422 if form.is_bound else 200
    return render(request, "evidence/engagements/scope.html", context, status=status)
