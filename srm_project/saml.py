"""Single sign-on by SAML 2.0 (AZ-05): allauth's provider, narrowed to one.

A request is remembered in the session of the browser that began; a response that
answers no such request signs nobody in. What responses say is read elsewhere
(`controls/accounts/assertions.py`), and nothing of them is kept beside the person.
"""

from __future__ import annotations

import base64
import secrets
import zlib
from typing import Any
from urllib.parse import urlencode

from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.saml.provider import SAMLProvider
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string

from controls import clock
from controls.accounts.assertions import Assertion, Trust
from controls.accounts.identities import PersonElsewhere
from srm_project.saml_settings import SamlProvider


def saml_provider_of(request: HttpRequest, ours: SamlProvider) -> OurSamlProvider:
    """The provider that the settings describe."""
    app = SocialApp(
        provider="saml",
        provider_id=ours.issuer,
        name=ours.name,
        client_id=ours.audience,
        settings={},
    )
    provider = OurSamlProvider(request, app=app)
    provider.ours = ours
    return provider


def trust_in(ours: SamlProvider) -> Trust:
    """What a response of the provider has to be; by the settings, not by a request."""
    return Trust(
        issuer=ours.issuer,
        sso_url=ours.sso_url,
        certificates=ours.certificates,
        address=ours.address,
        audience=ours.audience,
        name_id_format=ours.name_id_format,
        subject_attribute=ours.subject_attribute,
        signed_responses=ours.signed_responses,
    )


def claims_of(assertion: Assertion, ours: SamlProvider) -> dict[str, Any]:
    """The little of an assertion that signing in needs."""
    known = {role.group for role in ours.roles}
    groups = assertion.attributes.get(ours.groups_attribute, [])
    emails = assertion.attributes.get(ours.email_attribute, [])
    return {
        "in_response_to": assertion.in_response_to,
        "subject": assertion.subject,
        "email": emails[0] if len(emails) == 1 else "",
        "groups": [group for group in groups if group in known],
        "second_factor": bool(ours.second_factors.intersection(assertion.contexts)),
    }


class OurSamlProvider(SAMLProvider):
    """The provider as the settings describe it; nothing of its answers is kept."""

    ours: SamlProvider

    def extract_uid(self, data: dict[str, Any]) -> str:
        """Who the assertion is about."""
        return str(data["subject"])

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        """Nothing: names, addresses and groups are asked anew at each sign-in."""
        return {}

    def extract_common_fields(self, data: Any) -> dict[str, Any]:
        """Nothing: an account gets no name or address from elsewhere."""
        return {}

    def person_of(self, sociallogin: SocialLogin, ours: Any) -> PersonElsewhere:
        """Who signs in, by the claims of the assertion."""
        claims = sociallogin.claims
        return PersonElsewhere(
            subject=claims["subject"],
            label=claims["email"] or claims["subject"],
            verified_email=claims["email"],
            groups=claims["groups"],
            second_factor=claims["second_factor"],
        )

    def redirect(
        self,
        request: HttpRequest,
        process: str,
        next_url: str | None = None,
        data: Any = None,
        **kwargs: Any,
    ) -> HttpResponse:
        """Lead a browser there with a request that its session remembers."""
        ours = self.ours
        name = f"_{secrets.token_hex(20)}"
        self.stash_redirect_state(
            request, process, next_url, data, state_id=name, **kwargs
        )
        text = render_to_string(
            "account/saml_request.xml",
            {"name": name, "now": clock.now(), "ours": ours},
        )
        packed = zlib.compress(text.encode())[2:-4]  # deflated, without zlib's frame
        query = urlencode({"SAMLRequest": base64.b64encode(packed).decode()})
        join = "&" if "?" in ours.sso_url else "?"
        return HttpResponseRedirect(f"{ours.sso_url}{join}{query}")
