"""What a page lets in: rows one may read or 404, officers or 403."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Exists, OuterRef
from django.shortcuts import get_object_or_404

from controls.access import is_officer
from controls.models import Actor, ControlImplementation, Engagement, System
from evidence.models import ClosingState, WindowClosing
from srm_project.requests import SignedInRequest


def system_or_404(request: SignedInRequest, slug: str) -> System:
    """The system if the person may read it; to all others it does not exist."""
    mine = System.objects.visible_to(request.user).select_related("baseline")
    return get_object_or_404(mine, slug=slug)


@dataclass(frozen=True)
class OpenedSystem:
    """A system as a person opened it: whether they are an officer there, whether they
    audit it, and whether a window of it was ever closed."""

    system: System
    is_officer: bool
    is_audited_by_reader: bool
    has_closed_windows: bool


def opened_system_or_404(request: SignedInRequest, slug: str) -> OpenedSystem:
    """The system if the person may read it, and what they are there: one statement,
    and one for an auditor."""
    closings = WindowClosing.objects.filter(state=ClosingState.CLOSED)
    closed = Exists(closings.filter(system=OuterRef("pk")))
    mine = System.objects.visible_to(request.user).select_related("baseline")
    row: Any = get_object_or_404(mine.annotate(closed=closed), slug=slug)
    audits = Engagement.objects.audited_by(request.user).filter(system=row)
    return OpenedSystem(row, is_officer(request.user, row), audits.exists(), row.closed)


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
