"""Single sign-on by OpenID Connect (AZ-04): allauth's, narrowed to one provider.

Tokens are signed by a key of the provider, for us, answer the question of this browser,
and nothing of them is stored.
"""

from __future__ import annotations

import secrets
from typing import Any

import jwt
from allauth.socialaccount.internal import jwtkit
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import (
    OpenIDConnectProvider,
)
from allauth.socialaccount.providers.openid_connect.views import (
    OpenIDConnectOAuth2Adapter,
)
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from controls.accounts.identities import PersonElsewhere
from srm_project.sign_on_settings import SignOnProvider

# Made with a key pair: whoever checks cannot sign, and "none" is no signature.
ALGORITHMS = frozenset({"RS256", "RS384", "RS512", "PS256", "ES256", "ES384"})
MAX_SUBJECT_LENGTH = 191  # characters, of the column
CLOCKS_DIFFER_BY = 60  # seconds, at most


def openid_provider(request: HttpRequest, ours: SignOnProvider) -> OurProvider:
    """The provider that the settings describe."""
    app = SocialApp(
        provider="openid_connect",
        provider_id=ours.issuer,
        name=ours.name,
        client_id=ours.client_id,
        secret=ours.client_secret,
        settings={"server_url": ours.issuer, "scope": list(ours.scopes)},
    )
    return OurProvider(request, app=app)


class OurProvider(OpenIDConnectProvider):
    """The provider as the settings describe it; nothing of its answers is kept."""

    pkce_enabled_default = True

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        """Nothing: names, addresses and groups are asked anew at each sign-in."""
        return {}

    def redirect(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: Any = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """Lead a browser there, with a question that only its answer names."""
        nonce = secrets.token_urlsafe(24)
        question = {"auth_params": {"nonce": nonce}, "nonce": nonce}
        answer: HttpResponse = super().redirect(
            request, process, next_url, data, **kwargs | question
        )
        return answer

    def person_of(self, sociallogin: SocialLogin, ours: Any) -> PersonElsewhere:
        """Who signs in, by the claims. Raises OAuth2Error."""
        claims = sociallogin.claims
        asked_for = sociallogin.state.get("nonce")
        if not asked_for or claims.get("nonce") != asked_for:
            raise OAuth2Error("The ID token answers another question.")
        return PersonElsewhere(
            subject=claims["sub"],
            label=str(claims.get("email") or claims["sub"]),
            verified_email=_verified_email(claims),
            groups=_groups(claims, ours.groups_claim),
            second_factor=_showed_second_factor(claims, ours),
        )

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
