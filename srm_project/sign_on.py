"""Single sign-on (AZ-04): allauth's OpenID Connect, narrowed to one provider.

A person is who the issuer says by its subject, never by an address alone;
`SocialAccount` keeps both (`provider` is the issuer). Tokens are signed by a key of the
provider, for us, answer the question of this browser, and nothing of them is stored.
Whoever has no account here gets a sentence, not an account.
"""

from __future__ import annotations

import logging
import secrets
from typing import Any

import jwt
import requests
from allauth.account.authentication import get_authentication_records
from allauth.account.internal.decorators import login_not_required
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.stages import AuthenticateStage
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import (
    OpenIDConnectProvider,
)
from allauth.socialaccount.providers.openid_connect.views import (
    OpenIDConnectOAuth2Adapter,
)
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_POST

from controls.accounts.identities import (
    SignOnRefused,
    account_for,
    record_refused_sign_on,
)
from controls.accounts.sign_ins import ELSEWHERE
from srm_project.sign_on_settings import SignOnProvider

# Made with a key pair: whoever checks cannot sign, and "none" is no signature.
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "ES256", "ES384"})
MAX_SUBJECT_LENGTH = 191  # characters, of the column
CLOCKS_DIFFER_BY = 60  # seconds, at most
# Nothing, or no description of itself.
AWAY = (requests.RequestException, KeyError)
log = logging.getLogger("srm.sign_on")


def configured() -> SignOnProvider:
    """The provider of this installation. Raises Http404 where there is none."""
    provider: SignOnProvider | None = settings.SIGN_ON_PROVIDER
    if provider is None:
        raise Http404
    return provider


class OurProvider(OpenIDConnectProvider):
    """The provider as the settings describe it; nothing of its answers is kept."""

    pkce_enabled_default = True

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        """Nothing: names, addresses and groups are asked anew at each sign-in."""
        return {}

    def get_oauth2_adapter(self, request: HttpRequest) -> Exchange:
        """The one below."""
        return Exchange(request, self.app.provider_id)


class Exchange(OpenIDConnectOAuth2Adapter):
    """Talks to the provider, and believes what its key signed for us."""

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Where the provider sends people back to; as registered there."""
        return f"{settings.SITE_URL}{reverse('sign_on_callback')}"

    def complete_login(
        self, request: HttpRequest, app: SocialApp, token: Any, **kwargs: Any
    ) -> SocialLogin:
        """Who signs in, with the claims. Raises OAuth2Error."""
        signed = kwargs["response"].get("id_token")
        if not isinstance(signed, str):
            raise OAuth2Error("The answer has no ID token.")
        claims = self._verified(app, signed)
        claims = self._asked_besides(token.token, claims["sub"]) | claims
        login = self.get_provider().sociallogin_from_response(
            request, {"id_token": claims}
        )
        login.claims = claims
        return login

    def _verified(self, app: SocialApp, signed: str) -> dict[str, Any]:
        try:
            if jwt.get_unverified_header(signed).get("alg") not in ALGORITHMS:
                raise OAuth2Error("The ID token is not signed by a key pair.")
            algorithm, key = jwtkit.fetch_key(
                signed, self.openid_config["jwks_uri"], jwtkit.lookup_kid_jwk
            )
            claims: dict[str, Any] = jwt.decode(
                signed,
                key=key,
                algorithms=[algorithm],
                audience=app.client_id,
                issuer=app.provider_id,
                leeway=CLOCKS_DIFFER_BY,
                options={"require": ["exp", "iat", "aud", "iss", "sub"]},
            )
        except (jwt.PyJWTError, KeyError, TypeError) as failure:
            raise OAuth2Error(f"The ID token does not hold: {failure!r}") from failure
        audience = claims["aud"]
        if len(claims["sub"]) > MAX_SUBJECT_LENGTH:
            raise OAuth2Error("The subject is too long to be kept.")
        several = isinstance(audience, list) and len(audience) > 1
        if several and claims.get("azp") != app.client_id:
            raise OAuth2Error("The ID token was made for another program.")
        return claims

    def _asked_besides(self, access_token: str, subject: str) -> dict[str, Any]:
        """What the provider says of the same person beside the token, groups often."""
        if "userinfo_endpoint" not in self.openid_config:
            return {}
        claims = self._fetch_user_info(access_token)
        if not isinstance(claims, dict) or claims.get("sub") != subject:
            raise OAuth2Error("The provider told of somebody else.")
        return claims


class OneProvider(DefaultSocialAccountAdapter):
    """What allauth asks about single sign-on."""

    def get_provider(
        self, request: HttpRequest, provider: str, client_id: str | None = None
    ) -> OurProvider:
        """Always the one of the settings, whatever is asked for."""
        ours = configured()
        app = SocialApp(
            provider="openid_connect",
            provider_id=ours.issuer,
            name=ours.name,
            client_id=ours.client_id,
            secret=ours.client_secret,
            settings={"server_url": ours.issuer, "scope": list(ours.scopes)},
        )
        return OurProvider(request, app=app)

    def populate_user(
        self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]
    ) -> Any:
        """An account gets no name or address from elsewhere."""
        return sociallogin.user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Let in whoever has an account here. Raises ImmediateHttpResponse."""
        ours, claims = configured(), sociallogin.claims
        asked_for = sociallogin.state.get("nonce")
        if not asked_for or claims.get("nonce") != asked_for:
            self.on_authentication_error(request, sociallogin.provider)
        try:
            account = account_for(
                ours.issuer,
                claims["sub"],
                verified_email=_verified_email(claims) if ours.link_by_email else "",
            )
        except SignOnRefused as refusal:
            label = str(claims.get("email") or claims["sub"])
            record_refused_sign_on(f"{ours.name}: {label}")
            raise _page(request, " ".join(refusal.messages), 403) from refusal
        sociallogin.account, sociallogin.user = account, account.user
        sociallogin.state["groups"] = _groups(claims, ours.groups_claim)
        sociallogin.state["second_factor"] = _showed_second_factor(claims, ours)

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
            raise _page(request, f"You stopped signing in with {name}.", 403)
        if isinstance(exception, AWAY):
            raise _away(request, configured(), exception)
        log.warning("What %s answered was refused: %s", name, exception)
        record_refused_sign_on(name)
        raise _page(
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
    nonce = secrets.token_urlsafe(24)
    onward = request.POST.get("next", "")
    hosts, secure = {request.get_host()}, request.is_secure()
    if not url_has_allowed_host_and_scheme(onward, hosts, require_https=secure):
        onward = ""
    try:
        answer: HttpResponse = provider.redirect(
            request,
            process="login",
            next_url=onward or None,
            auth_params={"nonce": nonce},
            nonce=nonce,
        )
        return answer
    except AWAY as failure:
        return _away(request, ours, failure).response
    except ImmediateHttpResponse as refusal:
        return refusal.response


@login_not_required
@require_GET
def sign_on_callback(request: HttpRequest) -> HttpResponse:
    """Where the provider sends people back to."""
    ours = configured()
    view = OAuth2CallbackView.adapter_view(Exchange(request, ours.issuer))
    try:
        answer: HttpResponse = view(request)
        return answer
    except AWAY as failure:
        return _away(request, ours, failure).response


def _away(
    request: HttpRequest, ours: SignOnProvider, failure: Exception
) -> ImmediateHttpResponse:
    log.warning("%s does not answer as it should: %s", ours.name, failure)
    return _page(request, f"{ours.name} does not answer. Try again in a minute.", 503)


def _verified_email(claims: dict[str, Any]) -> str:
    email = claims.get("email")
    return (
        email if isinstance(email, str) and claims.get("email_verified") is True else ""
    )


def _groups(claims: dict[str, Any], name: str) -> list[str]:
    groups = claims.get(name)
    return (
        [group for group in groups if isinstance(group, str)]
        if isinstance(groups, list)
        else []
    )


def _showed_second_factor(claims: dict[str, Any], ours: SignOnProvider) -> bool:
    methods = claims.get("amr")
    shown = {str(method) for method in methods} if isinstance(methods, list) else set()
    shown.add(str(claims.get("acr", "")))
    return bool(shown & ours.second_factors)


def _page(request: HttpRequest, sentence: str, status: int) -> ImmediateHttpResponse:
    context = {"sentence": sentence}
    page = render(request, "account/sign_on_refused.html", context, status=status)
    return ImmediateHttpResponse(page)
