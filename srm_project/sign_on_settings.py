"""Single sign-on, from the environment: who is trusted, for what.

By OpenID Connect here, by SAML in `saml_settings.py`; an installation has one provider.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

# Auditors are let in for an engagement and until a day, which no group knows.
ROLES_BY_GROUP = frozenset({"officer", "contributor", "reviewer", "reader"})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
EXPECTED_ROLES = (
    '{name} is a JSON list such as [{{"group": "srm-reviewers", "system":'
    ' "payments", "role": "reviewer"}}]; a contributor has a "team" besides, and'
    " role is one of officer, contributor, reviewer, reader."
)


@dataclass(frozen=True)
class RoleOfGroup:
    """Whoever is in `group` holds `role` in a system (its slug), for a team (slug)."""

    group: str
    system: str
    role: str
    team: str = ""


@dataclass(frozen=True)
class SignOnProvider:
    """The one identity provider of the installation.

    `second_factors` are values of `amr` or `acr` by which it says that the person
    showed a second factor; `link_by_email` lets an address that it calls verified
    name the account that a person has here already.
    """

    issuer: str
    client_id: str
    client_secret: str
    name: str
    scopes: tuple[str, ...]
    groups_claim: str
    roles: tuple[RoleOfGroup, ...]
    second_factors: frozenset[str]
    link_by_email: bool

    @property
    def origin(self) -> str:
        """Scheme, host and port of the issuer, where its sign-in page lies too."""
        return origin_of(self.issuer)


def origin_of(address: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def secure(address: str) -> bool:
    """Whether an address is https://, or of this machine."""
    parts = urlsplit(address)
    plain = parts.scheme == "http" and parts.hostname in LOOPBACK
    return bool(parts.netloc) and (parts.scheme == "https" or plain)


def sign_on_provider(
    *,
    issuer: str,
    client_id: str,
    client_secret: str,
    name: str,
    scopes: str,
    groups_claim: str,
    roles: str,
    second_factors: str,
    link_by_email: bool,
) -> SignOnProvider | None:
    """The provider that the settings name; None where OIDC_ISSUER is empty.

    Lists are divided by blanks; `roles` is JSON. Raises ImproperlyConfigured.
    """
    if not issuer:
        return None
    _refuse_bad_issuer(issuer)
    if not client_id or not client_secret:
        raise ImproperlyConfigured(
            "OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET."
        )
    return SignOnProvider(
        issuer=issuer,
        client_id=client_id,
        client_secret=client_secret,
        name=name,
        scopes=tuple(scopes.split()),
        groups_claim=groups_claim,
        roles=roles_of_groups(roles, "OIDC_ROLES"),
        second_factors=frozenset(second_factors.split()),
        link_by_email=link_by_email,
    )


def _refuse_bad_issuer(issuer: str) -> None:
    parts = urlsplit(issuer)
    if not secure(issuer) or parts.query or parts.fragment:
        raise ImproperlyConfigured(
            "OIDC_ISSUER is the https:// address that the provider calls itself by."
        )
    if len(issuer) > 200:
        raise ImproperlyConfigured("OIDC_ISSUER has 200 characters at most.")


def roles_of_groups(text: str, setting: str) -> tuple[RoleOfGroup, ...]:
    """What the JSON of a setting gives to groups. Raises ImproperlyConfigured."""
    expected = EXPECTED_ROLES.format(name=setting)
    if not text:
        return ()
    try:
        rows: list[dict[str, Any]] = json.loads(text)
        roles = tuple(RoleOfGroup(**row) for row in rows)
    except (ValueError, TypeError):
        raise ImproperlyConfigured(expected) from None
    for role in roles:
        texts = (role.group, role.system, role.role, role.team)
        if not all(isinstance(text, str) for text in texts):
            raise ImproperlyConfigured(expected)
        with_team = role.role == "contributor"
        if role.role not in ROLES_BY_GROUP or bool(role.team) is not with_team:
            raise ImproperlyConfigured(expected)
    return roles
