"""The admin's site: for operators, and it says so to others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.template.response import TemplateResponse

NOT_FOR_YOU = (
    "The administration is for operators of this installation. If you need something"
    " changed there, ask one of them, or ask them to let you in."
)


class OperatorsSite(AdminSite):
    """Django's admin, without its way to the sign-in for somebody who is signed in.

    Its home is a desk: what needs attention, and what there is to do. `desk_of` gives
    what it shows to a person; the rooms whose work it is set it.
    """

    enable_nav_sidebar = False  # the columns of a list need the room
    desk_of: Callable[[Any], object] | None = None

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """The desk of who asks."""
        desk = self.desk_of(request.user) if self.desk_of else None
        return super().index(request, {"desk": desk, **(extra_context or {})})

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether an operator asks; False for nobody, who is led to the sign-in.

        Raises PermissionDenied for others: signing in again would lead them back here.
        """
        if request.user.is_authenticated and not super().has_permission(request):
            raise PermissionDenied(NOT_FOR_YOU)
        return super().has_permission(request)
