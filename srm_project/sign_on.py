"""Single sign-on: one provider, by OpenID Connect (AZ-04) or SAML (AZ-05).

A person is who the issuer says by its subject, never by an address alone;
`SocialAccount` keeps both (`provider` is the issuer). Whoever has no account here gets
a sentence, not an account.
"""

from __future__ import annotations

import logging
from typing import Any

import requests
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.decorators import login_not_required
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.stages import AuthenticateStage
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthError
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from controls.accounts.identities import (
    SignOnRefused,
    account_for,
    record_refused_sign_on,
)
from controls.accounts.sign_ins import ELSEWHERE
from srm_project.openid import Exchange, OurProvider, openid_provider
from srm_project.saml import OurSamlProvider, saml_provider_of
from srm_project.saml_settings import SamlProvider
from srm_project.sign_on_settings import SignOnProvider

# Nothing, or no description of itself.
AWAY = (requests.RequestException, KeyError)
log = logging.getLogger("srm.sign_on")


def configured() -> SignOnProvider | SamlProvider:
    """The provider of this installation. Raises Http404 where there is none."""
    provider: SignOnProvider | SamlProvider | None = settings.SIGN_ON_PROVIDER
    if provider is None:
        raise Http404
    return provider


class OneProvider(DefaultSocialAccountAdapter):
    """What allauth asks about single sign-on."""

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> OurProvider | OurSamlProvider:
        """Always the one of the settings, whatever is asked for."""
        ours = configured()
        if isinstance(ours, SamlProvider):
            return saml_provider_of(request, ours)
        return openid_provider(request, ours)

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> Any:
        """An account gets no name or address from elsewhere."""
        return sociallogin.user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Let in whoever has an account here. Raises ImmediateHttpResponse."""
        ours = configured()
        try:
            person = sociallogin.provider.person_of(sociallogin, ours)
        except OAuth2Error as failure:
            self.on_authentication_error(
                request, sociallogin.provider, exception=failure
            )
        try:
            account = account_for(
                ours.issuer,
                person.subject,
                verified_email=person.verified_email if ours.link_by_email else "",
            )
        except SignOnRefused as refusal:
            record_refused_sign_on(f"{ours.name}: {person.label}")
            raise sign_on_page(request, " ".join(refusal.messages), 403) from refusal
        sociallogin.account, sociallogin.user = account, account.user
        sociallogin.state["groups"] = person.groups
        sociallogin.state["second_factor"] = person.second_factor

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str = AuthError.UNKNOWN,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """A page that says what to do. Raises ImmediateHttpResponse."""
        name = configured().name
        if error == AuthError.CANCELLED:
            raise sign_on_page(request, f"You stopped signing in with {name}.", 403)
        if isinstance(exception, AWAY):
            raise _away(request, configured(), exception)
        log.warning("What %s answered was refused: %s", name, exception)
        record_refused_sign_on(name)
        raise sign_on_page(
            request,
            f"Signing in with {name} did not work: it took too long, was begun in"
            " another window, or its answer could not be verified. Try again; if it"
            " stays so, tell an administrator.",
            403,
        )


class OursUnlessTheirs(AuthenticateStage):
    """Our second factor, unless the provider says that it asked for one."""

    def _should_handle(self, request: HttpRequest) -> bool:
        sociallogin = (self.login.signal_kwargs or {}).get("sociallogin")
        if sociallogin is not None and sociallogin.state.get("second_factor"):
            return False
        return bool(super()._should_handle(request))


def second_factor_elsewhere(request: HttpRequest) -> bool:
    """Whether the person behind a session showed the provider a second factor."""
    if not request.session.get(ELSEWHERE):
        return False
    records = get_authentication_records(request, request.user)
    return any(record["method"] == "socialaccount" for record in records)


@login_not_required
@require_POST
def sign_on(request: HttpRequest) -> HttpResponse:
    """Lead a browser to the provider."""
    ours = configured()
    adapter = OneProvider(request)
    provider = adapter.get_provider(request, ours.issuer)
    onward = request.POST.get("next", "")
    hosts, secure = {request.get_host()}, request.is_secure()
    if not url_has_allowed_host_and_scheme(onward, hosts, require_https=secure):
        onward = ""
    try:
        answer: HttpResponse = provider.redirect(
            request, process="login", next_url=onward or None
        )
        return answer
    except AWAY as failure:
        return _away(request, ours, failure).response
    except ImmediateHttpResponse as refusal:
        return refusal.response


@login_not_required
@require_GET
def sign_on_callback(request: HttpRequest) -> HttpResponse:
    """Where a provider of OpenID Connect sends people back to."""
    ours = configured()
    if not isinstance(ours, SignOnProvider):
        raise Http404
    view = OAuth2CallbackView.adapter_view(Exchange(request, ours.issuer))
    try:
        answer: HttpResponse = view(request)
        return answer
    except AWAY as failure:
        return _away(request, ours, failure).response


def _away(
    request: HttpRequest, ours: SignOnProvider | SamlProvider, failure: Exception
) -> ImmediateHttpResponse:
    log.warning("%s does not answer as it should: %s", ours.name, failure)
    return sign_on_page(
        request, f"{ours.name} does not answer. Try again in a minute.", 503
    )


def sign_on_page(
    request: HttpRequest, sentence: str, status: int
) -> ImmediateHttpResponse:
    """A page that says why nobody is signed in, to be raised."""
    context = {"sentence": sentence}
    page = render(request, "account/sign_on_refused.html", context, status=status)
    return ImmediateHttpResponse(page)
