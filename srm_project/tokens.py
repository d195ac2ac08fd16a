"""What an API token may do."""

from __future__ import annotations

from typing import Any

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from controls import clock
from controls.models import TokenScope
from controls.models.tokens import Scope

HEADER_HINT = (
    "`Authorization: Token` and a blank before the token. Tokens are made on the page"
    " of your account, or by `POST /api/v1/tokens/` within a session."
)


class OwnersToken(TokenAuthentication):
    """A token of knox; it works no further than its owner's sign-in would (AZ-07)."""

    def validate_user(self, auth_token: Any) -> Any:
        """Owner and token. Raises AuthenticationFailed where a second factor lacks."""
        owner, token = super().validate_user(auth_token)
        kept = TokenScope.objects.filter(token=token).first()
        if kept is not None and kept.scope == Scope.CALENDAR:
            raise AuthenticationFailed(
                "This token opens a calendar feed, nothing else."
            )
        if settings.MFA_REQUIRED and not is_mfa_enabled(owner):
            raise AuthenticationFailed(
                "This token's owner has no second factor, which is required here."
                " Set one up, then use the token again."
            )
        if kept is not None:
            kept.note_use(clock.now())
        return owner, token


class OwnersTokenScheme(KnoxTokenScheme):
    """How the API's description names these tokens: as knox's, in words of ours."""

    target_class = "srm_project.tokens.OwnersToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Where a token goes, and where one is made."""
        scheme: dict[str, Any] = super().get_security_definition(auto_schema)
        return scheme | {"description": HEADER_HINT}


class ScopedToken(BasePermission):
    """What a token may do beside reading; sessions may do all that their owner may.

    To change something it has the scope of the view (`scope_to_change`), which is
    `write` unless the view says otherwise.
    """

    message = "This token may only read."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the token that was used, if any, allows the method."""
        if request.method in SAFE_METHODS or request.auth is None:
            return True
        token_scope = getattr(request.auth, "srm_scope", None)
        held = Scope(token_scope.scope if token_scope is not None else Scope.READ)
        needed: Scope = getattr(view, "scope_to_change", Scope.WRITE)
        if held != Scope.READ:
            self.message = (
                f"This token is for “{held.label}”. Use one for “{needed.label}” here."
            )
        return held == needed
