"""The page that the link of an invitation opens, signed in or not."""

from __future__ import annotations

from typing import Any

from allauth.decorators import rate_limit
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from controls import clock
from controls.accounts.invitations import (
    CLOSED,
    accept_invitation,
    accept_with_password,
    account_of,
    find_invitation,
    require_invited,
)
from controls.errors import NotPermitted, SrmError
from controls.forms import NewAccountForm
from controls.models import Invitation
from srm_project.requests import actor_of

PAGE = "account/invitation.html"


@login_not_required
@require_http_methods(["GET", "POST"])
@rate_limit(action="reset_password_from_key")
def invitation(request: HttpRequest, key: str) -> HttpResponse:
    """What am I invited to, and do I accept? A mail program that opens links by itself
    accepts nothing: that takes the button."""
    now = clock.now()
    try:
        invited = find_invitation(key, now=now)
        if request.user.is_authenticated:
            return _with_account(request, key, invited)
        account = account_of(invited)
        if account is not None and not account.is_active:
            raise NotPermitted(CLOSED)
        if account is not None:
            return render(request, PAGE, {"invitation": invited, "sign_in": True})
        return _without_account(request, key, invited)
    except SrmError as refusal:
        sentence = " ".join(refusal.messages)
        return render(request, PAGE, {"sentence": sentence}, status=refusal.status_code)


def _with_account(request: HttpRequest, key: str, invited: Invitation) -> HttpResponse:
    """Accept with the account one is signed in with."""
    person = actor_of(request)
    require_invited(invited, person)
    if request.method == "GET":
        return render(request, PAGE, {"invitation": invited})
    made = accept_invitation(key, by=person, now=clock.now())
    messages.success(request, _welcome(made))
    return _where_it_begins(made)


def _without_account(
    request: HttpRequest, key: str, invited: Invitation
) -> HttpResponse:
    """Set a name and a password; the address is that of the mail."""
    form = NewAccountForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        typed = form.cleaned_data
        try:
            made = accept_with_password(
                key, name=typed["name"], password=typed["password"], now=clock.now()
            )
        except ValidationError as refusal:
            if getattr(refusal, "status_code", 400) != 400:
                raise
            by_field = getattr(refusal, "error_dict", {None: [refusal]})
            for name, errors in by_field.items():
                form.add_error(name if name in form.fields else None, errors)
        else:
            messages.success(
                request, f"{_welcome(made)} Sign in with {invited.address}."
            )
            return redirect("account_login")
    context = {"invitation": invited, "form": form}
    return render(request, PAGE, context, status=422 if form.is_bound else 200)


def _begun(made: Any) -> bool:
    return bool(made.starts_at <= clock.now())


def _where_it_begins(made: Any) -> HttpResponse:
    """An auditor's audit, the system of everybody else, once the role has begun."""
    if not _begun(made):
        return redirect("evidence:systems")
    if made.engagement is not None:
        return redirect("evidence:audit", made.engagement.uuid)
    return redirect("evidence:dashboard", made.system.slug)


def _welcome(made: Any) -> str:
    role = f"{made.get_role_display().lower()} of {made.system}"
    audit = f" in “{made.engagement.title}”" if made.engagement else ""
    if _begun(made):
        return f"You are {role}{audit} now."
    day = made.system.day_of(made.starts_at)
    return f"You are {role}{audit} from {day} on."
