"""Far-reaching acts ask for the password or the second factor again (AZ-12).

Far-reaching is what gives rights or carries much away: roles, accounts, second factors
of others, tokens, exports. Who typed the password or a code within the last
`PROVE_AGAIN_AFTER_MINUTES` is not asked, signing in included.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import get_adapter
from allauth.account.authentication import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from controls.errors import NotPermitted
from srm_project.requests import HasUser, actor_of

# How allauth calls what a person typed or touched; single sign-on is none of it.
PROOFS = frozenset({"password", "mfa"})
NO_WAY = (
    "This asks for your password or second factor, and you have neither. Ask an"
    " administrator to set a password for you."
)
View = Callable[..., HttpResponseBase]


def proved_recently(request: HasUser) -> bool:
    """Whether the person behind a session typed a password or code recently enough.

    Never for somebody who has neither: allauth's own check would let them pass.
    """
    records = get_authentication_records(request, request.user)  # type: ignore[arg-type]
    proofs = [record["at"] for record in records if record["method"] in PROOFS]
    longest = settings.PROVE_AGAIN_AFTER_MINUTES * 60
    return bool(proofs) and time.time() - max(proofs) < longest


def require_recent_proof(request: HttpRequest) -> None:
    """Let whoever proved who they are recently pass; lead others to do it.

    What they sent is kept in their session and done once they have. Raises
    ReauthenticationRequired, which allauth's middleware turns into that way, and
    PermissionDenied for somebody who has nothing to prove it with.
    """
    if not proved_recently(request):
        _require_way(request)
        raise ReauthenticationRequired


def require_recent_proof_of_form(request: HttpRequest) -> None:
    """As `require_recent_proof`, for forms with passwords in them: nothing is kept.

    Ask it before the form is shown, too. Raises ImmediateHttpResponse.
    """
    if proved_recently(request):
        return
    _require_way(request)
    if request.method == "POST":
        messages.warning(request, "Nothing was saved. Fill in the form again.")
    onward = urlencode({"next": request.get_full_path()})
    page = f"{reverse('account_reauthenticate')}?{onward}"
    raise ImmediateHttpResponse(HttpResponseRedirect(page))


def require_recent_proof_of_program(request: HasUser) -> None:
    """As `require_recent_proof`, for sessions over the API. Raises NotPermitted."""
    if not proved_recently(request):
        _require_way(request)
        page = settings.SITE_URL + reverse("account_reauthenticate")
        raise NotPermitted(
            f"Confirm that it is you at {page}, then send this again within"
            f" {settings.PROVE_AGAIN_AFTER_MINUTES} minutes."
        )


def recent_proof_required(view: View) -> View:
    """For views whose every POST is far-reaching."""

    @wraps(view)
    def handle(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST":
            require_recent_proof(request)
        return view(request, *args, **kwargs)

    return handle


def _require_way(request: HasUser) -> None:
    if not get_adapter().get_reauthentication_methods(actor_of(request)):
        raise PermissionDenied(NO_WAY)
