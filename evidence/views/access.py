"""What a page lets in: the system or 404, officers or 403, refusals as messages."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.shortcuts import get_object_or_404

from controls.access import is_officer
from controls.errors import NotPermitted
from controls.models import Actor, System
from srm_project.requests import SignedInRequest


def system_or_404(request: SignedInRequest, slug: str) -> System:
    """The system if the person may read it; to all others it does not exist."""
    mine = System.objects.visible_to(request.user).select_related("baseline")
    return get_object_or_404(mine, slug=slug)


def require_officer_page(user: Actor, system: System) -> None:
    """Raises PermissionDenied (403) for everybody but officers."""
    if not is_officer(user, system):
        raise PermissionDenied("Only a compliance officer of this system may do this.")


def show_refusal(request: SignedInRequest, refusal: ValidationError) -> None:
    """Show a refusal as a message; what is not permitted becomes a 403."""
    if isinstance(refusal, NotPermitted):
        raise PermissionDenied(" ".join(refusal.messages))
    messages.error(request, " ".join(refusal.messages))
