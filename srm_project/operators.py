"""The admin's site: for operators, and it says so to others."""

from __future__ import annotations

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

NOT_FOR_YOU = (
    "The administration is for operators of this installation. If you need something"
    " changed there, ask one of them, or ask them to let you in."
)


class OperatorsSite(AdminSite):
    """Django's admin, without its way to the sign-in for somebody who is signed in."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether an operator asks; False for nobody, who is led to the sign-in.

        Raises PermissionDenied for others: signing in again would lead them back here.
        """
        if request.user.is_authenticated and not super().has_permission(request):
            raise PermissionDenied(NOT_FOR_YOU)
        return super().has_permission(request)
