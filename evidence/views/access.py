"""What a page lets in: rows one may read or 404, officers or 403."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404

from controls.access import is_officer
from controls.models import Actor, ControlImplementation, System
from srm_project.requests import SignedInRequest


def system_or_404(request: SignedInRequest, slug: str) -> System:
    """The system if the person may read it; to all others it does not exist."""
    mine = System.objects.visible_to(request.user).select_related("baseline")
    return get_object_or_404(mine, slug=slug)


def system_with_office_or_404(
    request: SignedInRequest, slug: str
) -> tuple[System, bool]:
    """The same, and whether the person is an officer there, by one statement."""
    officered = System.objects.officered_by(request.user).filter(pk=OuterRef("pk"))
    mine = (
        System.objects.visible_to(request.user)
        .select_related("baseline")
        .annotate(officered=Exists(officered))
    )
    system: Any = get_object_or_404(mine, slug=slug)
    return system, system.officered


def implementation_or_404(
    request: SignedInRequest, slug: str, ref_id: str
) -> ControlImplementation:
    """A control of a system that the person may read."""
    mine = ControlImplementation.objects.visible_to(request.user).select_related(
        "system__baseline", "control", "owner_team", "decision"
    )
    return get_object_or_404(mine, system__slug=slug, control__ref_id=ref_id)


def require_officer_page(user: Actor, system: System) -> None:
    """Raises PermissionDenied (403) for everybody but officers."""
    if not is_officer(user, system):
        raise PermissionDenied("Only a compliance officer of this system may do this.")
