"""Who holds which role in a system: invited, changed, ended, handed over.

One file: two pages and the forms on them, which share their answers.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from controls import clock
from controls.access import is_officer
from controls.accounts.invitations import invite, send_again, withdraw_invitation
from controls.errors import Refused
from controls.grammar import count_of
from controls.memberships import change_days, end_membership
from controls.models import Invitation, Membership, System
from evidence.forms.people import (
    EndRoleForm,
    InviteForm,
    RoleDaysForm,
    SuccessorForm,
)
from evidence.people.leaving import HandOver, hand_over, open_work, plan_hand_over
from evidence.people.missing import INSTANT, missing_without
from evidence.people.roster import never_held, roster_of
from evidence.views.access import require_officer_page, system_or_404
from evidence.views.answers import answer_with, explain
from evidence.views.bulk_acts import moves_of_team
from evidence.views.once import once
from srm_project.recent_proof import recent_proof_required
from srm_project.requests import SignedInRequest


@require_GET
def people(request: SignedInRequest, slug: str) -> HttpResponse:
    """Who holds which role in this system, and who is missing?"""
    return _page(request, system_or_404(request, slug))


def _page(
    request: SignedInRequest,
    system: System,
    *,
    form: InviteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    officer = is_officer(request.user, system)
    now = clock.now()
    today = system.day_of(now)
    role = request.GET.get("role", "")
    context = {
        "system": system,
        "roster": roster_of(system, request.user, now),
        "officer": officer,
        "now": now,
        "form": form or InviteForm(system=system, today=today, role=role),
    }
    return render(request, "evidence/people/page.html", context, status=status)


@require_POST
@recent_proof_required
@once
def people_invite(request: SignedInRequest, slug: str) -> HttpResponse:
    """Invite somebody by mail."""
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    today = system.day_of(clock.now())
    form = InviteForm(request.POST, system=system, today=today)
    if not form.is_valid():
        return _page(request, system, form=form, status=422)
    address = form.cleaned_data["address"]
    try:
        made = invite(system, address, form.offer(), by=request.user, now=clock.now())
    except ValidationError as refusal:
        if getattr(refusal, "status_code", 400) != 400:
            return answer_with(request, refusal, _to_people(system))
        explain(form, refusal)
        return _page(request, system, form=form, status=422)
    _tell_of_mail(request, made)
    return _to_people(system)


def _tell_of_mail(request: SignedInRequest, made: Invitation) -> None:
    messages.success(
        request,
        f"An invitation is on its way to {made.address}. Its link works once, for seven"
        " days; the role begins when it is accepted.",
    )


def _to_people(system: System) -> HttpResponse:
    return redirect("evidence:people", system.slug)


def _invitation_or_404(request: SignedInRequest, slug: str, uuid: Any) -> Invitation:
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    return get_object_or_404(Invitation, system=system, uuid=uuid)


@require_POST
@recent_proof_required
def invitation_send(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Mail an invitation again, with a new link."""
    invitation = _invitation_or_404(request, slug, uuid)
    back = _to_people(invitation.system)
    try:
        made = send_again(invitation, by=request.user, now=clock.now())
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    _tell_of_mail(request, made)
    return back


@require_POST
def invitation_withdraw(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Take an invitation back."""
    invitation = _invitation_or_404(request, slug, uuid)
    back = _to_people(invitation.system)
    try:
        withdraw_invitation(invitation, by=request.user, now=clock.now())
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    messages.success(
        request, f"The invitation of {invitation.address} is withdrawn: its link ended."
    )
    return back


def _role_or_404(request: SignedInRequest, slug: str, uuid: Any) -> Membership:
    system = system_or_404(request, slug)
    require_officer_page(request.user, system)
    rows = system.memberships.select_related("system", "user", "team", "engagement")
    membership: Membership = get_object_or_404(rows, uuid=uuid)
    return membership


@require_GET
def role(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """What waits for this person, who takes it over, and until when is the role?"""
    membership = _role_or_404(request, slug, uuid)
    form = SuccessorForm(request.GET or None, membership=membership)
    plan = None
    if form.is_bound and form.is_valid():
        plan = _plan(request, membership, form)
    return _role_page(request, membership, successor=form, plan=plan)


def _plan(
    request: SignedInRequest, membership: Membership, form: SuccessorForm
) -> HandOver | None:
    to, now = form.cleaned_data["to"], clock.now()
    try:
        return plan_hand_over(membership, to, by=request.user, now=now)
    except ValidationError as refusal:
        explain(form, refusal)
        return None


def _role_page(
    request: SignedInRequest,
    membership: Membership,
    *,
    days: RoleDaysForm | None = None,
    end: EndRoleForm | None = None,
    successor: SuccessorForm | None = None,
    plan: HandOver | None = None,
    status: int = 200,
) -> HttpResponse:
    system, now = membership.system, clock.now()
    ends_at, work = membership.ends_at, open_work(membership)
    last_day = system.day_of(ends_at - INSTANT) if ends_at else None
    held = {
        "starts_on": system.day_of(membership.starts_at),
        "last_day": last_day,
        "version": membership.version,
    }
    forms = [form for form in (days, end, successor) if form is not None]
    faulty = next((form for form in forms if form.errors), None)
    context = {
        "system": system,
        "membership": membership,
        "last_day": last_day,
        "first_day": held["starts_on"],
        "over": ends_at is not None and ends_at <= now,
        "begun": membership.starts_at <= now,
        "missing_then": missing_without(membership, now),
        "never": never_held(membership),
        "work": work,
        "teams": [
            (one, moves_of_team(request, system, one.team)) for one in work.teams
        ],
        "days": days or RoleDaysForm(initial=held, auto_id="days_%s"),
        "end": end or EndRoleForm(initial=held, auto_id="end_%s"),
        "successor": successor or SuccessorForm(membership=membership),
        "faulty": faulty,
        "plan": plan,
    }
    return render(request, "evidence/people/role.html", context, status=status)


@require_POST
@recent_proof_required
def role_days(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Let a role begin or end on another day."""
    membership = _role_or_404(request, slug, uuid)
    form = RoleDaysForm(request.POST, auto_id="days_%s")
    if not form.is_valid():
        return _role_page(request, membership, days=form, status=422)
    try:
        changed = change_days(
            membership, by=request.user, now=clock.now(), **form.cleaned_data
        )
    except ValidationError as refusal:
        if getattr(refusal, "status_code", 400) != 400:
            return answer_with(request, refusal, _to_role(membership))
        explain(form, refusal)
        return _role_page(request, membership, days=form, status=422)
    messages.success(request, _days_sentence(changed))
    return _to_role(changed)


def _days_sentence(membership: Membership) -> str:
    """What holds now, and what is next."""
    system = membership.system
    word = membership.get_role_display().lower()
    if membership.ends_at is None:
        return f"{membership.user} is {word} until further notice."
    last_day = system.day_of(membership.ends_at - INSTANT)
    work = open_work(membership)
    sentence = f"{membership.user} is {word} to {last_day}, that day included."
    if not work.to_hand_over:
        return f"{sentence} Nothing waits for this person alone."
    return f"{sentence} Hand over below what waits for this person alone."


def _to_role(membership: Membership) -> HttpResponse:
    return redirect("evidence:role", membership.system.slug, membership.uuid)


@require_POST
@recent_proof_required
def role_end(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """End a role now."""
    membership = _role_or_404(request, slug, uuid)
    form = EndRoleForm(request.POST, auto_id="end_%s")
    if not form.is_valid():
        return _role_page(request, membership, end=form, status=422)
    work = open_work(membership)
    try:
        ended = end_membership(
            membership, by=request.user, now=clock.now(), **form.cleaned_data
        )
    except ValidationError as refusal:
        if getattr(refusal, "status_code", 400) != 400:
            return answer_with(request, refusal, _to_role(membership))
        explain(form, refusal)
        return _role_page(request, membership, end=form, status=422)
    role_name = ended.get_role_display().lower()
    sentence = f"{ended.user} is no longer {role_name} of {ended.system}."
    if work.to_hand_over and is_officer(request.user, ended.system):
        messages.success(request, f"{sentence} Hand over below what waits.")
        return _to_role(ended)
    messages.success(request, sentence)
    if ended.user_id == request.user.pk:
        return redirect("evidence:systems")
    return _to_people(ended.system)


@require_POST
@recent_proof_required
def role_hand_over(request: SignedInRequest, slug: str, uuid: Any) -> HttpResponse:
    """Hand over what waits for the person of a role, as the page showed it."""
    membership = _role_or_404(request, slug, uuid)
    form = SuccessorForm(request.POST, membership=membership)
    back = _to_role(membership)
    if not form.is_valid():
        return answer_with(request, Refused("Choose who takes it over."), back)
    to = form.cleaned_data["to"]
    try:
        done = hand_over(
            membership,
            to,
            by=request.user,
            now=clock.now(),
            shown=request.POST.get("shown"),
        )
    except ValidationError as refusal:
        return answer_with(request, refusal, back)
    messages.success(request, _handed_over(done))
    return redirect(reverse("evidence:people", args=[membership.system.slug]))


def _handed_over(done: HandOver) -> str:
    parts = []
    if done.teams:
        teams = ", ".join(work.team.name for work in done.teams)
        parts.append(f"is contributor of {teams} from today on")
    if done.requests:
        parts.append(f"is asked in {count_of(len(done.requests), 'request')}")
    return f"{done.to} {' and '.join(parts)}. It stands in that person's My work."
