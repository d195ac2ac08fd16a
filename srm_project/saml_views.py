"""The doors of SAML (AZ-05): its form comes in, the browser comes back, who we are.

The provider's form comes from another site, so without the cookie of the session. The
first door believes the response or not, and keeps what it says for a moment; the
second, which the browser is led to, looks for the request that its session remembers.
"""

from __future__ import annotations

import logging

from allauth.account.internal.decorators import login_not_required
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.helpers import complete_social_login
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from controls import clock
from controls.accounts.assertions import (
    ResponseRefused,
    SignInDeclined,
    SpentBefore,
    TooManyAtATime,
    read_response,
    spend,
    take_claims,
)
from controls.accounts.identities import record_refused_sign_on
from controls.confined import ReadersAway
from srm_project.saml import claims_of, trust_in
from srm_project.saml_settings import SamlProvider
from srm_project.sign_on import OneProvider, configured, sign_on_page

COOKIE = f"{settings.SESSION_COOKIE_NAME}_saml"
COOKIE_SECONDS = 120  # seconds; the browser comes back at once
log = logging.getLogger("srm.sign_on")


def _ours() -> SamlProvider:
    """The provider of this installation. Raises Http404 where it speaks no SAML."""
    ours = configured()
    if not isinstance(ours, SamlProvider):
        raise Http404
    return ours


@csrf_exempt
@login_not_required
@require_POST
def saml_response(request: HttpRequest) -> HttpResponse:
    """Take the form of the provider, and lead the browser on where it holds."""
    ours = _ours()
    try:
        ticket = _believed(request, ours)
    except ImmediateHttpResponse as refusal:
        return refusal.response
    answer = redirect("saml_return")
    answer.status_code = 303  # whatever this was, what follows is a GET
    answer.set_cookie(
        COOKIE,
        ticket,
        max_age=COOKIE_SECONDS,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return answer


def _believed(request: HttpRequest, ours: SamlProvider) -> str:
    """The ticket for what a response says. Raises ImmediateHttpResponse."""
    now = clock.now()
    try:
        text = request.POST.get("SAMLResponse", "")
        assertion = read_response(text, trust_in(ours), now=now)
        return spend(ours.issuer, assertion, claims_of(assertion, ours), now=now)
    except (TooManyAtATime, ReadersAway) as away:
        sentence = "Nobody can be signed in at the moment. Try again in a minute."
        raise sign_on_page(request, sentence, 503) from away
    except SignInDeclined as status:
        log.warning("%s declined to sign somebody in: %s", ours.name, status)
        record_refused_sign_on(ours.name)
        sentence = (
            f"{ours.name} did not sign you in. If you did not stop it yourself, tell an"
            " administrator."
        )
        raise sign_on_page(request, sentence, 403) from status
    except SpentBefore as replay:
        log.warning("A response of %s was used a second time.", ours.name)
        record_refused_sign_on(ours.name)
        sentence = f"This answer of {ours.name} was used before. Sign in again."
        raise sign_on_page(request, sentence, 403) from replay
    except ResponseRefused as refusal:
        adapter = OneProvider(request)
        provider = adapter.get_provider(request, ours.issuer)
        adapter.on_authentication_error(request, provider, exception=refusal)
        raise


@login_not_required
@require_GET
def saml_return(request: HttpRequest) -> HttpResponse:
    """Sign in the browser that began, by what the response said."""
    ours = _ours()
    adapter = OneProvider(request)
    provider = adapter.get_provider(request, ours.issuer)
    claims = take_claims(request.COOKIES.get(COOKIE, ""))
    try:
        if claims is None:
            raise PermissionDenied("No response waits for this browser.")
        request_id = claims["in_response_to"]
        state = provider.unstash_redirect_state(request, request_id)
    except PermissionDenied as failure:
        answer = _refused(request, adapter, failure)
    else:
        login = provider.sociallogin_from_response(request, claims)
        login.claims, login.state = claims, state
        answer = complete_social_login(request, login)
    answer.delete_cookie(COOKIE, samesite="Lax")
    return answer


def _refused(
    request: HttpRequest, adapter: OneProvider, failure: PermissionDenied
) -> HttpResponse:
    provider = adapter.get_provider(request, "")
    try:
        adapter.on_authentication_error(request, provider, exception=failure)
    except ImmediateHttpResponse as refusal:
        return refusal.response
    raise failure


@login_not_required
@require_GET
def saml_metadata(request: HttpRequest) -> HttpResponse:
    """Who we are, for the provider to read."""
    return render(
        request,
        "account/saml_metadata.xml",
        {"ours": _ours()},
        content_type="application/samlmetadata+xml",
    )
