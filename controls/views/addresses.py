"""One's own e-mail address: seen, asked for, confirmed. Instead of allauth's pages."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.decorators import reauthentication_required
from allauth.decorators import rate_limit
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from controls import clock
from controls.accounts.addresses import (
    ask_for_address,
    confirm_address,
    find_change,
    withdraw_address,
)
from controls.errors import SrmError
from controls.forms import AddressForm
from controls.models import Actor, AddressChange
from srm_project.requests import SignedInRequest


@require_http_methods(["GET", "POST"])
@rate_limit(action="manage_email")
@reauthentication_required(allow_get=True)
def address(request: SignedInRequest) -> HttpResponse:
    """Which address is mine, and does another one wait for confirmation?"""
    if request.method == "GET":
        return _address_page(request, AddressForm())
    _require_way_to_reauthenticate(request.user)
    if "action_remove" in request.POST:
        return _withdraw(request)
    form = AddressForm(request.POST)
    if not form.is_valid():
        return _address_page(request, form, status=400)
    try:
        change = ask_for_address(request.user, form.cleaned_data["email"])
    except ValidationError as refusal:
        form.add_error("email", refusal.messages)
        status = getattr(refusal, "status_code", 400)
        return _address_page(request, form, status=status)
    messages.success(request, f"A mail with a link is on its way to {change.address}.")
    return redirect("account_email")


def _require_way_to_reauthenticate(user: Actor) -> None:
    """Refuse whom allauth lets pass for want of a password or second factor."""
    if not get_adapter().get_reauthentication_methods(user):
        raise PermissionDenied(
            "You have neither a password nor a second factor to confirm yourself with."
            " Ask an administrator to change your address."
        )


def _withdraw(request: SignedInRequest) -> HttpResponse:
    try:
        withdraw_address(request.user)
    except SrmError as refusal:
        messages.error(request, " ".join(refusal.messages))
    else:
        messages.success(request, "Withdrawn: your address stays as it is.")
    return redirect("account_email")


def _address_page(
    request: SignedInRequest, form: AddressForm, status: int = 200
) -> HttpResponse:
    open_changes = AddressChange.objects.open_for(request.user, clock.now())
    context = {"form": form, "change": open_changes.first()}
    return render(request, "account/address.html", context, status=status)


@require_http_methods(["GET", "POST"])
def address_confirm(request: SignedInRequest, key: str) -> HttpResponse:
    """The page that the link in the mail opens; its button puts the address in force.

    A mail program that opens links by itself confirms nothing.
    """
    try:
        if request.method == "GET":
            change = find_change(key, by=request.user)
            return render(request, "account/address_confirm.html", {"change": change})
        confirm_address(key, by=request.user)
    except SrmError as refusal:
        context = {"sentence": " ".join(refusal.messages)}
        page = "account/address_confirm.html"
        return render(request, page, context, status=refusal.status_code)
    messages.success(request, "Your new address counts from now on.")
    return redirect("account_email")
