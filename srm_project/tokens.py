"""What an API token may do."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


class ScopedToken(BasePermission):
    """A token with the scope `read` may only read; sessions and others may do both."""

    message = "This token may only read."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the token that was used, if any, allows the method."""
        if request.method in SAFE_METHODS:
            return True
        if request.auth is None:
            return True
        token_scope = getattr(request.auth, "srm_scope", None)
        scope = token_scope.scope if token_scope is not None else "read"
        return scope == "write"
